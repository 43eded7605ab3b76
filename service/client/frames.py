"""Lists, arrays and data frames in, the same kind out.

A frame of pandas, polars or any other library that narwhals knows keeps its column names, its index and its kind;
columns of the query are found by name, in whatever order they stand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Frame = nw.DataFrame[Any]
Series = nw.Series[Any]
Names = tuple[str, ...] | None
"""Of columns; None where there are none."""


@dataclass(frozen=True)
class Columns:
    """Numbers with the names of their columns, where there are any."""

    numbers: Array
    """(N, D), or (N,) for a single column."""
    names: Names


def read(values: object, name: str, like: Names = None, *, missing: bool = False) -> Columns:
    """Take numbers out of a list, an array, a frame or a series.

    Args:
        values: N rows.
        name: What to call them in an error.
        like: Names of the columns to find, if this has names.
        missing: Whether a cell may be missing: None, null or NA, which become NaN.

    Raises:
        ValueError: They are not numbers, or a column is missing.
    """
    native = nw.from_native(values, eager_only=True, allow_series=True, pass_through=True)
    if isinstance(native, nw.DataFrame):
        frame = _select(native, name, like)
        return Columns(_numbers(_cells_of(frame), name, missing=missing), tuple(frame.columns))
    if isinstance(native, nw.Series):
        return Columns(_numbers(native.to_numpy(), name, missing=missing), (native.name,))
    return Columns(_numbers(values, name, missing=missing), None)


def writer(query: object, names: Names) -> Callable[[Array], Any]:
    """Make the function that gives predictions the kind of the query and the names of y.

    Args:
        query: As the caller gave it.
        names: Of the columns of y.

    Returns:
        Takes (M,) or (M, K).
    """
    native = nw.from_native(query, eager_only=True, allow_series=True, pass_through=True)
    if isinstance(native, nw.DataFrame | nw.Series):
        return lambda prediction: _frame(native, names, prediction)
    return (lambda prediction: prediction) if isinstance(query, np.ndarray) else lambda prediction: prediction.tolist()


def _select(frame: Frame, name: str, like: Names) -> Frame:
    if like is None:
        return frame
    missing = [column for column in like if column not in frame.columns]
    if missing:
        raise ValueError(f"{name} has no column {', '.join(map(repr, missing))}; x has.")
    return frame.select(like)


def _cells_of(frame: Frame) -> NDArray[Any]:
    """Take the cells out of a frame; column by column where its library has no common type for them."""
    cells = frame.to_numpy()
    if cells.dtype == object:
        return np.column_stack([column.to_numpy() for column in frame.iter_columns()])
    return cells


def _numbers(values: object, name: str, *, missing: bool) -> Array:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must be rows of one width.") from error
    if array.dtype == object and missing and all(map(_is_cell, array.flat)):
        return array.astype(np.float64)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be numbers; it is of type {array.dtype}. Encode and fill in before sending.")
    return array.astype(np.float64)


def _is_cell(value: object) -> bool:
    return value is None or (isinstance(value, Real) and not isinstance(value, bool))


def _frame(query: Frame | Series, names: Names, prediction: Array) -> object:
    library = query.implementation
    if prediction.ndim == 1:
        return _indexed(nw.new_series(names[0] if names else "prediction", prediction, backend=library), query)
    columns = names or tuple(f"prediction_{k}" for k in range(prediction.shape[1]))
    return _indexed(nw.from_dict(dict(zip(columns, prediction.T, strict=True)), backend=library), query)


def _indexed(answer: Frame | Series, query: Frame | Series) -> object:
    """Give an answer the query's index, where its library has such a thing."""
    native, index = answer.to_native(), nw.maybe_get_index(query)
    if index is not None:
        native.index = index
    return native
