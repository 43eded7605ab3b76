"""The protocol's names of numpy dtypes; the protocol is little-endian."""

from typing import Literal

import numpy as np
from numpy.typing import DTypeLike

Datatype = Literal["FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]
"""Datatypes of inputs. BOOL and BYTES are not numbers, and numpy has no BF16."""

NUMPY_KINDS = {"FP": "f", "INT": "i", "UINT": "u"}


def dtype_of(datatype: Datatype) -> np.dtype[np.number]:
    """Return the dtype of a datatype: `FP64` → `<f8`."""
    kind = datatype.rstrip("0123456789")
    return np.dtype(f"<{NUMPY_KINDS[kind]}{int(datatype.removeprefix(kind)) // 8}")


def datatype_of(dtype: DTypeLike) -> Literal["FP32", "FP64"]:
    """Return the datatype of a model's dtype: `float64` → `FP64`."""
    return "FP64" if np.dtype(dtype) == np.float64 else "FP32"
