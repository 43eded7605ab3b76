"""Conversion of lists, arrays and data frames to numbers, and of predictions to the kind of the query.

Frames of pandas, polars and other libraries that narwhals supports keep their column names, index and kind. Columns of
a query are matched by name, rows by position. `real_numbers` defines the accepted numbers.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from gdssm_client import arrays
from gdssm_client.errors import InvalidArgument
from gdssm_client.pandas_index import index_columns
from gdssm_client.real_numbers import (
    BOOLEAN_REMEDY,
    DURATION_REMEDY,
    MAX_REPORTED_NUMBERS,
    MISSING_REMEDY,
    OTHER_TYPE_REMEDY,
    TEXT_REMEDY,
    TIME_REMEDY,
    Flaw,
    Flawed,
    float64,
    is_missing,
    number_of,
    position,
    sentence,
)

Array = NDArray[np.float64]
Frame = nw.DataFrame[Any]
Series = nw.Series[Any]
Names = tuple[str, ...] | None
"""Names of columns, or None."""

REMEDIES: dict[type[nw.dtypes.DType], str] = {
    nw.Boolean: BOOLEAN_REMEDY,
    nw.String: TEXT_REMEDY,
    nw.Binary: TEXT_REMEDY,
    nw.Date: TIME_REMEDY,
    nw.Datetime: TIME_REMEDY,
    nw.Time: TIME_REMEDY,
    nw.Duration: DURATION_REMEDY,
    nw.List: OTHER_TYPE_REMEDY,
    nw.Array: OTHER_TYPE_REMEDY,
    nw.Struct: OTHER_TYPE_REMEDY,
}
"""For types of columns that are never numbers."""


class NotNumbers(InvalidArgument, TypeError):
    """Values are not numbers; nothing was sent."""


@dataclass(frozen=True)
class Columns:
    """Numbers with the names of their columns, if any."""

    numbers: Array
    """(N, D), or (N,) for a single column."""
    names: Names


def read(values: object, name: str, column_order: Names = None, *, missing: bool = False) -> Columns:
    """Convert a list, an array, a frame or a series to numbers.

    Args:
        values: N rows.
        name: Their name in messages.
        column_order: Names of the columns to select, if it has names.
        missing: Whether a cell may be missing: None, null, NA, NaN or masked, which become NaN.

    Raises:
        NotNumbers: They are not numbers; a ValueError and a TypeError too.
        InvalidArgument: A column is missing, or a name is not unique; a ValueError too.
    """
    native = wrapped(values, name)
    try:
        if isinstance(native, nw.DataFrame):
            frame, names = select(native, name, column_order)
            _check_sparse(frame)
            return Columns(_of_frame(frame, len(native), names, name, missing=missing), names)
        if isinstance(native, nw.Series):
            named = None if native.name in {None, ""} else (str(native.name),)
            return Columns(numbers_of(native, missing=missing), named)
        return Columns(arrays.read(values, missing=missing), None)
    except Flawed as error:
        raise refusal(name, error.flaws, [position(name, flaw.place) for flaw in error.flaws]) from error


def number(value: object, name: str) -> float:
    """Convert one number.

    Raises:
        NotNumbers: It is not a number.
    """
    try:
        return number_of(value)
    except Flawed as error:
        raise refusal(name, error.flaws, ["it"], "a number") from error


def labels(values: object, name: str) -> NDArray[Any]:
    """Convert a list, an array, a frame or a series to labels of classes: numbers, texts or booleans.

    Args:
        values: N of them.
        name: Their name in messages.

    Raises:
        InvalidArgument: One is missing.
    """
    native = wrapped(values, name)
    try:
        array = native.to_numpy() if isinstance(native, nw.DataFrame | nw.Series) else arrays.as_array(values)
    except Flawed as error:
        raise InvalidArgument(f"{name} {error.flaws[0].what}. {error.flaws[0].remedy}") from error
    hidden = np.ma.getmaskarray(array)
    array = np.asarray(array)
    if array.dtype.kind in "OfM":
        hidden = hidden | np.vectorize(is_missing, otypes=[bool])(array)
    if hidden.any():
        place = position(name, np.argwhere(hidden)[0].tolist())
        raise InvalidArgument(f"{place} is missing. {MISSING_REMEDY}")
    return array


def writer(query: object, names: Names) -> Callable[[Array], Any]:
    """Make the function that converts predictions to the kind of the query, with the names of y.

    Args:
        query: The caller's query.
        names: Of the columns of y.

    Returns:
        Converts (M,) or (M, K) to a frame or a series for a frame or a series, a list for a list, else an array.
    """
    native = wrapped(query, "query")
    if isinstance(native, nw.DataFrame | nw.Series):
        return lambda prediction: _frame(native, names, prediction)
    listed = isinstance(query, Sequence)
    return (lambda prediction: prediction.tolist()) if listed else (lambda prediction: prediction)


def wrapped(values: Any, name: str) -> object:  # noqa: ANN401  (of any library)
    """Wrap a frame or a series by narwhals; anything else is returned unchanged."""
    try:
        native = nw.from_native(values, allow_series=True, pass_through=True)
    except nw.exceptions.DuplicateError:
        _check_names(values, name)
        raise
    if isinstance(native, nw.LazyFrame):
        remedy = "Compute it first, as collect() or compute() does."
        raise NotNumbers(f"{name} is a lazy frame ({type(values).__name__}). {remedy}")
    if isinstance(native, nw.DataFrame):
        _check_names(native, name)
    elif not isinstance(native, nw.Series) and hasattr(values, "__arrow_c_stream__"):
        return nw.from_arrow(values, backend=nw.Implementation.PYARROW)
    return native


def _check_names(frame: Any, name: str) -> None:  # noqa: ANN401  (of any library)
    """Check that names of columns are unique as text."""
    names = getattr(frame, "column_names", None) or frame.columns
    twice = [column for column, count in Counter(map(str, names)).items() if count > 1]
    if twice:
        raise InvalidArgument(f"{name} has more than one column {twice[0]!r}. Give each column its own name.")


def select(frame: Frame, name: str, column_order: Names) -> tuple[Frame, tuple[str, ...]]:
    """Select columns by name, in that order, or all except an index; names are converted to text."""
    names = list(map(str, frame.columns))
    if column_order is None:
        index = index_columns(names, getattr(getattr(frame.to_native(), "schema", None), "metadata", None))
        column_order = tuple(column for column in names if column not in index)
    missing = [column for column in column_order if column not in names]
    if missing:
        raise InvalidArgument(f"{name} has no column {', '.join(map(repr, missing[:MAX_REPORTED_NUMBERS]))}; x has.")
    places = {column: place for place, column in enumerate(names)}
    return (
        frame if list(column_order) == names else frame[:, [places[column] for column in column_order]]
    ), column_order


def _of_frame(frame: Frame, rows: int, names: tuple[str, ...], name: str, *, missing: bool) -> Array:
    """Convert a frame at once if its library has one numeric type for it, else column by column."""
    whole = _whole(frame)
    if whole is not None:
        try:
            return float64(whole, missing=missing)
        except Flawed as error:
            places = [f"{name}[{flaw.place[0]}], column {names[flaw.place[1]]!r}," for flaw in error.flaws]
            raise refusal(name, error.flaws, places) from error
    numbers, flaws, places = np.empty((rows, len(names))), list[Flaw](), list[str]()
    for i, column in enumerate(frame.iter_columns()):
        try:
            numbers[:, i] = numbers_of(column, missing=missing)
        except Flawed as error:
            flaws += error.flaws
            places += [place_in_column(name, names[i], flaw) for flaw in error.flaws]
    if flaws:
        raise refusal(name, flaws[:MAX_REPORTED_NUMBERS], places[:MAX_REPORTED_NUMBERS])
    return numbers


def _check_sparse(frame: Frame) -> None:
    """Check the size of sparse columns, which pandas has; raises as `arrays.check_dense` does."""
    large = prod(frame.shape) > arrays.DENSE_LIMIT
    if large and any(str(dtype).startswith("Sparse") for dtype in getattr(frame.to_native(), "dtypes", ())):
        arrays.check_dense(frame.shape)


def _whole(frame: Frame) -> NDArray[Any] | None:
    if not is_numeric(frame):
        return None
    try:
        cells = frame.to_numpy()
    except Exception:  # noqa: BLE001  (libraries raise different ones; columns are tried one by one)
        return None
    return cells if cells.dtype.kind in "fiu" else None


def is_numeric(frame: Frame) -> bool:
    """Return whether all columns are integers or floating point; pandas' dtypes are read directly, 20 times faster."""
    if frame.implementation.is_pandas_like():
        return all(getattr(dtype, "kind", "") in {*"fiu"} for dtype in set(frame.to_native().dtypes))
    return all(dtype.is_numeric() and not dtype.is_decimal() for dtype in frame.schema.values())


def numbers_of(series: Series, *, missing: bool) -> Array:
    """Convert a column to numbers (N,).

    Raises:
        Flawed: They are not numbers.
    """
    native = series.to_native()
    kind = str(getattr(native, "dtype", getattr(native, "type", "")))
    remedy = REMEDIES.get(type(series.dtype))
    if remedy and kind != "object":  # narwhals infers the type of objects from a few cells
        raise Flawed(Flaw((), f"is of type {kind}", remedy))
    wide = isinstance(series.dtype, nw.Int128 | nw.UInt128)
    return float64((series.cast(nw.Float64) if wide else series).to_numpy(), missing=missing)


def place_in_column(name: str, column: str, flaw: Flaw) -> str:
    """Name a column of a frame, and the cell if the flaw has one."""
    return f"{position(name, flaw.place)}, column {column!r}," if flaw.place else f"column {column!r}"


def refusal(name: str, flaws: Sequence[Flaw], places: Sequence[str], what: str = "numbers") -> NotNumbers:
    """Make the error for values that are not what they must be."""
    return NotNumbers(f"{name} must be {what}; {sentence(flaws, places)}")


def _frame(query: Frame | Series, names: Names, prediction: Array) -> object:
    library = query.implementation
    if prediction.ndim == 1:
        return _indexed(nw.new_series(names[0] if names else "prediction", prediction, backend=library), query)
    columns = names or tuple(f"prediction_{k}" for k in range(prediction.shape[1]))
    return _indexed(nw.from_dict(dict(zip(columns, prediction.T, strict=True)), backend=library), query)


def _indexed(answer: Frame | Series, query: Frame | Series) -> object:
    """Set the index of the query, if its library has indices."""
    native, index = answer.to_native(), nw.maybe_get_index(query)
    if index is not None:
        native.index = index
    return native
