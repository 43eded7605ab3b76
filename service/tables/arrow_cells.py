"""Columns of Arrow as cells; needs pyarrow, the extra `gdssm[tables]`."""

from collections.abc import Set
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from service.tables.cells import Cells, as_text, text_cells

CODE = r"^0[0-9]+$"
"""As `text.CODE`."""
ISO_TIME = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"
TICKS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
"""Of a second, by the unit of a duration."""


def cells_of_strings(column: pa.Array, missing: Set[str], *, text: bool) -> Cells:
    """Make the cells of texts: numbers if all are plain ones, times if all are as ISO 8601 writes them, else text.

    Args:
        column: Strings (N,), with white space around them or not.
        missing: Texts that mean that a cell is missing.
        text: Whether a number stays text.
    """
    if not text:
        markers = pa.array(sorted(missing), pa.string())
        for cells in (_typed(column, markers), _typed(pc.utf8_trim_whitespace(column), markers)):
            if cells is not None:
                return cells
    return _encoded(column, missing)


def _encoded(column: pa.Array, missing: Set[str]) -> Cells:
    encoded = column.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return text_cells(encoded.dictionary.to_pylist(), codes, missing)


def _typed(column: pa.Array, markers: pa.Array) -> Cells | None:
    """Make numbers or times of texts, if all are."""
    gaps = pc.is_in(column, value_set=markers)
    if gaps.true_count:
        column = pc.if_else(gaps, pa.scalar(None, column.type), column)
    return _numbers(column) or _times(column)


def _numbers(column: pa.Array) -> Cells | None:
    try:
        numbers = column.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    if not pc.all(pc.is_finite(numbers), min_count=0).as_py():  # it reads inf and nan as well
        return None
    if pc.any(pc.match_substring_regex(column, CODE), min_count=0).as_py():
        return None
    return Cells("number", _floats(numbers))


def _times(column: pa.Array) -> Cells | None:
    if not pc.all(pc.match_substring_regex(column, ISO_TIME), min_count=0).as_py():
        return None
    try:
        return Cells("time", _microseconds(column.cast(pa.timestamp("us"))))
    except pa.ArrowInvalid:
        return None


def _floats(column: pa.Array) -> NDArray[np.float64]:
    values: NDArray[np.float64] = column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False)
    return values


def _microseconds(column: pa.Array) -> NDArray[Any]:
    counts = column.cast(pa.int64()).fill_null(np.iinfo(np.int64).min)  # which is NaT
    times: NDArray[Any] = counts.to_numpy(zero_copy_only=False).view("datetime64[us]")
    return times


def cells_of_column(column: pa.Array, missing: Set[str], *, text: bool) -> Cells | None:
    """Make the cells of a column that has a type; None if the type holds neither numbers, times nor text.

    Args:
        column: (N,).
        missing: Texts that mean that a cell is missing.
        text: Whether numbers and times are written as text.
    """
    types = pa.types
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if types.is_time(column.type):
        column = pc.utf8_slice_codeunits(column.cast(pa.string()), 0, 8)
    if _is_text(column.type) or (text and types.is_integer(column.type)):
        return _encoded(column.cast(pa.string()), missing)
    cells = _cells_of_type(column)
    return as_text(cells) if text and cells else cells


def _cells_of_type(column: pa.Array) -> Cells | None:
    kind, types = column.type, pa.types
    if types.is_null(kind):
        return Cells("number", np.full(len(column), np.nan))
    if types.is_boolean(kind):
        return Cells("boolean", _floats(column.cast(pa.int8())))
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return Cells("number", _floats(column))
    if types.is_timestamp(kind) or types.is_date(kind):
        return Cells("time", _microseconds(column.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False)))
    if types.is_duration(kind):
        return Cells("number", _floats(column.cast(pa.int64())) / TICKS[kind.unit])
    return None


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
