"""A tensor as JSON numbers: flat in row-major order, or as nested lists."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service import numbers
from service.api.routes.v2.datatypes import datatype_of, dtype_of
from service.api.routes.v2.schemas import InferInput, InferOutput
from service.errors import InvalidInput, Problem
from service.inference.sizes import Array
from service.inference.tensor_inference import CELLS
from service.numbers import position
from service.real_numbers import MAX_REPORTED_NUMBERS


def read(sent: InferInput, field: str) -> NDArray[Any]:
    """Read the numbers of an input.

    Args:
        sent: Its `data` is not checked yet; null is a missing cell of a floating-point tensor.
        field: Its position in the request, for messages.

    Raises:
        InvalidInput: The numbers do not fit the shape or the datatype.
    """
    dtype = dtype_of(sent.datatype)
    missing = dtype.kind == "f" and sent.name in CELLS
    array = numbers.tensor(sent.data, sent.shape, f"{field}.data", missing=missing)
    if dtype.kind != "f":
        _refuse_fractions(array, sent, np.iinfo(dtype), field)
    elif dtype.itemsize < 8:
        with np.errstate(over="ignore"):
            rounded = array.astype(dtype)
        if np.isinf(rounded).any():
            raise InvalidInput(*islice(_too_large(sent.name, array, rounded, sent.datatype), MAX_REPORTED_NUMBERS))
        return rounded
    return array


def write(name: str, array: Array) -> InferOutput:
    """Write an output."""
    return InferOutput(
        name=name, datatype=datatype_of(array.dtype), shape=list(array.shape), data=array.ravel().tolist()
    )


def _too_large(name: str, array: Array, rounded: NDArray[Any], datatype: str) -> Iterator[Problem]:
    largest = float(np.finfo(rounded.dtype).max)
    for found in np.argwhere(np.isinf(rounded)):
        value = f"{array[tuple(found)]:g}"
        message = f"is {value}, too large for {datatype} (at most {largest:g}), where it is infinite. Send it as FP64."
        yield Problem(position(name, found), message)


def _refuse_fractions(array: Array, sent: InferInput, limits: np.iinfo[Any], field: str) -> None:
    wrong = (array != np.trunc(array)) | (array < limits.min) | (array >= float(limits.max + 1))
    if not wrong.any():
        return
    values = np.array(sent.data, object).reshape(array.shape)[wrong]  # float64 rounds 2**63 - 1 to 2**63
    for value in values:
        if value != int(value) or not limits.min <= value <= limits.max:
            message = f"has {str(value)[:40]}, which is not {sent.datatype}. Send it as FP64, or other numbers."
            raise InvalidInput(Problem(f"{field}.data", message))
