"""Conversion of lists, arrays, tensors, masked and sparse arrays to numbers, by the rule of `real_numbers`.

Only numpy is imported: a caller who passes an object of another library has imported it.
"""

import sys
from collections.abc import Mapping, Sequence, Set
from itertools import chain
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdssm_client.real_numbers import F64, MAX_REPORTED_NUMBERS, Flaw, Flawed, float64

FAST_TYPES = {int, float, type(None), np.float64, np.float32, np.int64, np.int32}
"""Types that numpy converts to floating point correctly and without a loop in Python."""
DENSE_LIMIT = 2**27
"""Numbers of a sparse array after conversion: 1 GiB."""


def read(values: object, *, missing: bool = False) -> F64:
    """Convert anything but a frame to numbers; NaN where a cell is missing.

    Args:
        values: Of any shape.
        missing: Whether a cell may be missing.

    Raises:
        Flawed: A cell is not a number, rows differ in width, or it is not an array.
    """
    if _is_sparse(values):
        return float64(_dense(values), missing=missing)
    if isinstance(values, Sequence) and not isinstance(values, str | bytes | bytearray):
        return _of_sequence(values, missing=missing)
    if isinstance(values, Mapping | Set) or not (hasattr(values, "__array__") or np.isscalar(values)):
        raise Flawed(Flaw((), f"is of type {type(values).__name__}", "Send a list, an array or a frame."))
    return float64(as_array(values), missing=missing)


def as_array(values: object) -> NDArray[Any]:
    """Convert to an array of any dtype.

    Raises:
        Flawed: It cannot be converted, such as a tensor on another device.
    """
    if isinstance(values, np.ndarray):
        return values
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        what = f"is a {type(values).__name__} that cannot be read as an array ({error})"
        raise Flawed(Flaw((), what, "Convert it to an array first.")) from error


def check_dense(shape: Sequence[int]) -> None:
    """Check the size of a sparse array after conversion.

    Raises:
        Flawed: It is too large.
    """
    if prod(shape) > DENSE_LIMIT:
        sizes, size, limit = " × ".join(map(str, shape)), prod(shape) * 8 / 2**30, DENSE_LIMIT * 8 / 2**30
        what = f"is sparse and would be {sizes} numbers ({size:.1f} GiB; the limit is {limit:.1f})"
        remedy = "Send fewer rows at a time, or reduce the columns, for example by scikit-learn's TruncatedSVD."
        raise Flawed(Flaw((), what, remedy))


def _of_sequence(values: Sequence[Any], *, missing: bool) -> F64:
    if _types(values) <= FAST_TYPES:
        try:
            return float64(np.array(values, np.float64), missing=missing)
        except (ValueError, OverflowError):
            pass  # rows of different widths, or integers of hundreds of digits: reported with places below
    if any(map(_is_row, values)):
        return _of_rows(values, missing=missing)
    cells = np.empty(len(values), object)
    cells[:] = values
    return float64(cells, missing=missing)


def _types(values: Sequence[Any]) -> set[type]:
    types = set(map(type, values))
    return set(map(type, chain.from_iterable(values))) if types and types <= {list, tuple} else types


def _is_row(value: object) -> bool:
    listed = isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)
    return listed or getattr(value, "ndim", 0) > 0


def _of_rows(values: Sequence[Any], *, missing: bool) -> F64:
    rows, flaws = list[F64](), list[Flaw]()
    for i, value in enumerate(values):
        try:
            rows.append(read(value, missing=missing) if _is_row(value) else np.empty(()))
        except Flawed as error:
            flaws += (flaw._replace(place=(i, *flaw.place)) for flaw in error.flaws)
            if len(flaws) >= MAX_REPORTED_NUMBERS:
                break
    flaws = flaws or [
        Flaw((i,), f"has the shape {row.shape}, row 0 {rows[0].shape}", "Send rows of one width.")
        for i, row in enumerate(rows)
        if row.shape != rows[0].shape
    ]
    if flaws:
        raise Flawed(*flaws[:MAX_REPORTED_NUMBERS])
    return np.stack(rows)


def _is_sparse(values: object) -> bool:
    scipy = sys.modules.get("scipy.sparse")
    return scipy is not None and bool(scipy.issparse(values))


def _dense(values: Any) -> NDArray[Any]:  # noqa: ANN401  (scipy is not imported here)
    check_dense(values.shape)
    return np.asarray(values.toarray())
