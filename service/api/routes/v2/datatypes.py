"""The protocol's names of numpy's dtypes; little-endian, as the protocol has it."""

from typing import Literal

import numpy as np
from numpy.typing import DTypeLike

Datatype = Literal["FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]
"""What an input may be made of. BOOL and BYTES are no numbers, and numpy has no BF16."""

LETTERS = {"FP": "f", "INT": "i", "UINT": "u"}


def dtype_of(datatype: Datatype) -> np.dtype[np.number]:
    """Translate a name: `FP64` → `<f8`."""
    kind = datatype.rstrip("0123456789")
    return np.dtype(f"<{LETTERS[kind]}{int(datatype.removeprefix(kind)) // 8}")


def datatype_of(dtype: DTypeLike) -> Literal["FP32", "FP64"]:
    """Name the dtype of a model: `float64` → `FP64`."""
    return "FP64" if np.dtype(dtype) == np.float64 else "FP32"
