"""Columns of Arrow as cells; needs pyarrow, the extra `gdssm[tables]`."""

import re
from collections.abc import Set
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from service.tables.cells import Cells, as_text, text_cells
from service.tables.text import CODE, LENGTH_LIMIT, PLAIN

CODES = f"^(?:{CODE.pattern})$".replace(r"\d", "[0-9]")
ISO_TIME = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"
ISO = re.compile(ISO_TIME, re.ASCII)
TICKS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
"""Of a second, by the unit of a duration."""


class Markers:
    """Texts that mean that a cell is missing."""

    def __init__(self, texts: Set[str]) -> None:
        self.texts = texts
        self._array = pa.array(sorted(texts), pa.string())

    def removed(self, column: pa.Array) -> pa.Array:
        """Return a column with null instead of these texts."""
        gaps = pc.is_in(column, value_set=self._array)
        return pc.if_else(gaps, pa.scalar(None, column.type), column) if gaps.true_count else column


def cells_of_strings(column: pa.Array, markers: Markers, *, text: bool, commas: bool = False) -> Cells:
    """Make the cells of texts: numbers if all are plain ones, times if all are as ISO 8601 writes them, else text.

    Args:
        column: Strings (N,), with white space around them or not.
        markers: Texts that mean that a cell is missing.
        text: Whether a number stays text.
        commas: Whether decimal signs are commas, so that numbers with a point stay text: it may separate thousands.
    """
    cells = None if text else _typed(markers.removed(column)) or _trimmed(column, markers)
    if commas and cells and cells.pointed:
        cells = None
    return cells or _encoded(column, markers.texts)


def _trimmed(column: pa.Array, markers: Markers) -> Cells | None:
    """Make numbers or times of texts with white space around them."""
    trimmed = pc.utf8_trim_whitespace(column)
    return None if trimmed.equals(column) else _typed(markers.removed(trimmed))


def _encoded(column: pa.Array, missing: Set[str]) -> Cells:
    encoded = column.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return text_cells(encoded.dictionary.to_pylist(), codes, missing)


def _of_dictionary(column: pa.DictionaryArray, missing: Set[str]) -> Cells:
    """Make the cells of a dictionary of texts, without a copy of a text for each row: texts may have any length."""
    used = column.indices.dictionary_encode()
    texts = column.dictionary.take(used.dictionary)
    codes = used.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    if texts.null_count:
        codes = np.where(np.append(texts.is_valid().to_numpy(zero_copy_only=False), False)[codes], codes, -1)
    return text_cells(texts.fill_null("").to_pylist(), codes, missing)


def _typed(column: pa.Array) -> Cells | None:
    """Make numbers or times of texts, if all are; the first one says which, as a cast that fails is slow."""
    first = pc.index(column.is_valid(), pa.scalar(value=True)).as_py()
    if first < 0:
        return Cells("number", np.full(len(column), np.nan))
    text = column[first].as_py()
    if len(text) > LENGTH_LIMIT:
        return None
    return _numbers(column) if PLAIN.fullmatch(text) else _times(column) if ISO.fullmatch(text) else None


def _numbers(column: pa.Array) -> Cells | None:
    try:
        numbers = floats(column.cast(pa.float64()))
    except pa.ArrowInvalid:
        return None
    if np.count_nonzero(np.isfinite(numbers)) + column.null_count < len(numbers):  # it reads inf and nan as well
        return None
    whole = (numbers >= 1) | (numbers == 0)
    perhaps = (whole & _starts_with_zero(column)).any() or pc.any(pc.match_substring(column, "E")).as_py()
    if perhaps and pc.any(pc.match_substring_regex(column, CODES)).as_py():
        return None
    pointed = (np.floor(numbers) < numbers).any() or pc.any(pc.match_substring(column, ".")).as_py()
    return Cells("number", numbers, pointed=bool(pointed))


def _starts_with_zero(column: pa.Array) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.starts_with(column, "0").fill_null(False).to_numpy(zero_copy_only=False)
    return found


def _times(column: pa.Array) -> Cells | None:
    if not pc.all(pc.match_substring_regex(column, ISO_TIME)).as_py():
        return None
    try:
        return Cells("time", _microseconds(column.cast(pa.timestamp("us"))))
    except pa.ArrowInvalid:
        return None


def floats(column: pa.Array) -> NDArray[np.float64]:
    """Convert numbers (N,) to float64; NaN where one is missing."""
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
        if is_text(column.type.value_type):
            return _of_dictionary(column, missing)
        column = column.dictionary_decode()
    if types.is_time(column.type):
        column = pc.utf8_slice_codeunits(column.cast(pa.string()), 0, 8)
    if is_text(column.type) or (text and types.is_integer(column.type)):
        return _encoded(column.cast(pa.string()), missing)
    cells = _cells_of_type(column)
    return as_text(cells) if text and cells else cells


def _cells_of_type(column: pa.Array) -> Cells | None:
    kind, types = column.type, pa.types
    if types.is_null(kind):
        return Cells("number", np.full(len(column), np.nan))
    if types.is_boolean(kind):
        return Cells("boolean", floats(column.cast(pa.int8())))
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return Cells("number", floats(column))
    if types.is_timestamp(kind) or types.is_date(kind):
        return Cells("time", _microseconds(column.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False)))
    if types.is_duration(kind):
        return Cells("number", floats(column.cast(pa.int64())) / TICKS[kind.unit])
    return None


def text_bytes(column: pa.Array) -> int:
    """Count the bytes of a column's texts, of a dictionary those of each row; 0 for other types."""
    types, kind = pa.types, column.type
    if types.is_dictionary(kind) and is_text(kind.value_type):
        dictionary = column.dictionary.cast(pa.large_string())
        return pc.sum(pc.binary_length(dictionary).take(column.indices)).as_py() or 0
    return int(column.nbytes) if is_text(kind) else 0


def is_text(kind: pa.DataType) -> bool:
    """Whether a type holds texts."""
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
