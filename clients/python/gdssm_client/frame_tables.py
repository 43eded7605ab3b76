"""Frames with columns of any kind as tables of cells: numbers, booleans, times and text."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from numbers import Real
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from gdssm_client import frames
from gdssm_client.cells import Cells, cells_of, text_cells, text_of
from gdssm_client.errors import InvalidArgument
from gdssm_client.frames import Frame, Series
from gdssm_client.real_numbers import (
    INFINITE_FLAW,
    INFINITE_REMEDY,
    MAX_REPORTED_NUMBERS,
    Flaw,
    Flawed,
    float64,
    is_missing,
)

OTHER_KINDS = (
    nw.Boolean,
    nw.String,
    nw.Categorical,
    nw.Enum,
    nw.Datetime,
    nw.Date,
    nw.Time,
    nw.Duration,
)
"""Types of columns that are cells, but no numbers."""
Table = dict[str, Cells]
"""Cells by column."""
REMEDY = "Convert it to numbers, text, booleans or times, or leave the column out."
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def frame_of(values: object, name: str) -> Frame | None:
    """Return a frame without the columns that are its index; None if the values are no frame.

    Args:
        values: Of any kind.
        name: Their name in messages.

    Raises:
        InvalidArgument: Two columns have one name.
        NotNumbers: It is a lazy frame.
    """
    found = frames.wrapped(values, name)
    return frames.select(found, name, None)[0] if isinstance(found, nw.DataFrame) else None


def is_numeric(frame: Frame) -> bool:
    """Return whether no column has text, categories, booleans, times or durations."""
    return frames.is_numeric(frame) or not any(map(_has_other_kind, frame.iter_columns()))


def table_of(frame: Frame, name: str) -> Table:
    """Convert a frame to a table; names of columns become text.

    Args:
        frame: From `frame_of`.
        name: Its name in messages.

    Raises:
        NotNumbers: A column has a type that is not supported, or an infinite number; all such columns are named.
    """
    columns = zip(map(str, frame.columns), frame.iter_columns(), strict=True)
    return _table(name, ((column, partial(_cells, series)) for column, series in columns))


def table_of_lists(columns: Mapping[str, Sequence[Any]], name: str) -> Table:
    """Convert lists of Python values to a table.

    Args:
        columns: By name, of one length.
        name: The name of the table in messages.

    Raises:
        InvalidArgument: They differ in length.
        NotNumbers: See `table_of`.
    """
    lengths = {column: len(values) for column, values in columns.items()}
    if len({*lengths.values()}) > 1:
        raise InvalidArgument(f"{name} has columns of different lengths: {lengths}. Send lists of one length.")
    return _table(name, ((column, partial(_cells_of_objects, values)) for column, values in columns.items()))


def _table(name: str, columns: Iterable[tuple[str, Callable[[], Cells]]]) -> Table:
    """Make a table, or name all columns that cannot be read."""
    found, flaws, places = dict[str, Cells](), list[Flaw](), list[str]()
    for column, cells in columns:
        try:
            found[column] = cells()
        except Flawed as error:
            flaws += error.flaws
            places += [frames.place_in_column(name, column, flaw) for flaw in error.flaws]
    if flaws:
        what = "numbers, texts, booleans or times"
        raise frames.refusal(name, flaws[:MAX_REPORTED_NUMBERS], places[:MAX_REPORTED_NUMBERS], what)
    return found


def _has_other_kind(series: Series) -> bool:
    if _holds_objects(series):
        return any(not (is_missing(value) or _is_number(value)) for value in series.to_list())
    return isinstance(series.dtype, OTHER_KINDS)


def _holds_objects(series: Series) -> bool:
    """Return whether a column holds Python objects; narwhals infers a type from a few of them."""
    return isinstance(series.dtype, nw.Object) or str(getattr(series.to_native(), "dtype", "")) == "object"


def _is_number(value: object) -> bool:
    return isinstance(value, Real | Decimal) and not isinstance(value, bool | np.bool_)


def _cells(series: Series) -> Cells:
    """Convert a column; raises `Flawed`."""
    dtype = series.dtype
    if _holds_objects(series):
        return _cells_of_objects(series.to_list())
    if isinstance(dtype, nw.Boolean):
        return Cells("boolean", _floats(series.cast(nw.Float64)))
    if isinstance(dtype, nw.Datetime | nw.Date):
        return _times(_floats(series.dt.timestamp("us")))
    if isinstance(dtype, nw.Duration):
        return Cells("number", _floats(series.dt.total_microseconds()) / 1e6)
    if isinstance(dtype, OTHER_KINDS):
        return _texts(series.cast(nw.String) if isinstance(dtype, nw.Time) else series)
    return Cells("number", frames.numbers_of(series, missing=True))


def _floats(series: Series) -> NDArray[np.float64]:
    return float64(series.to_numpy(), missing=True)


def _times(microseconds: NDArray[np.float64]) -> Cells:
    """Make cells of microseconds since 1970 (N,), NaN where missing."""
    gaps = np.isnan(microseconds)
    times = np.where(gaps, 0.0, microseconds).astype(np.int64).astype("datetime64[us]")
    return Cells("time", np.where(gaps, np.datetime64("NaT"), times))


def _texts(series: Series) -> Cells:
    gaps, index = series.is_null().to_numpy(), dict[object, int]()
    pairs = zip(series.to_list(), gaps.tolist(), strict=True)
    codes = np.array([-1 if gap else index.setdefault(value, len(index)) for value, gap in pairs], np.int64)
    return text_cells([text_of(_plain(value)) or "" for value in index], codes)


def _cells_of_objects(values: Sequence[Any]) -> Cells:
    plain = [None if is_missing(value) else _plain(value) for value in values]
    present = [value for value in plain if value is not None]
    if present and all(isinstance(value, date) for value in present):
        return _times(np.array([np.nan if value is None else _microseconds(value) for value in plain]))
    if present and all(isinstance(value, timedelta) for value in present):
        seconds = [np.nan if value is None else value.total_seconds() for value in plain]
        return Cells("number", np.array(seconds))
    flaws = []
    for row, value in enumerate(plain):
        if _is_number(value):
            number = _float(value)
            plain[row] = number
            if np.isinf(number):
                flaws.append(Flaw((row,), INFINITE_FLAW, INFINITE_REMEDY))
        elif isinstance(value, date | time):
            plain[row] = str(value)
        elif not isinstance(value, str | bool | None):
            flaws.append(Flaw((row,), f"is of type {type(value).__name__}", REMEDY))
    if flaws:
        raise Flawed(*flaws[:MAX_REPORTED_NUMBERS])
    found = cells_of(plain)
    assert found is not None  # noqa: S101  (every value is a finite number, a text, a boolean or None)
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401  (of any library)
    """Return a scalar of numpy as one of Python."""
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]").item()
    return value.item() if isinstance(value, np.generic) else value


def _float(value: Any) -> float:  # noqa: ANN401  (a number of any type)
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _microseconds(value: date) -> float:
    """Return microseconds since 1970 in UTC, which times without a zone are taken for."""
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    when = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    return float((when - EPOCH) // MICROSECOND)
