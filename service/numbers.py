"""Converts JSON lists to arrays; values that are not finite numbers are refused with their positions.

A vector or a matrix that is an array is returned unchanged: `inference.tensors` checks binary bodies, and numbers in
JSON are finite. `real_numbers` defines the numbers. The rule is stricter than numpy's: strings and booleans are not
converted, null becomes NaN only where a cell may be missing, rows must have one width, and NaN, ±Infinity and numbers
beyond float64 are refused.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from math import prod

import numpy as np

from service.errors import InvalidInput, Problem
from service.inference.sizes import Array, shaped
from service.real_numbers import (
    BOOLEAN_REMEDY,
    INFINITE_FLAW,
    INFINITE_REMEDY,
    MAX_REPORTED_NUMBERS,
    MISSING_REMEDY,
    OTHER_TYPE_REMEDY,
    TEXT_REMEDY,
)

CELLS_AT_ONCE = 2**15
"""Cells that are checked or converted without releasing the GIL."""


@dataclass(frozen=True)
class RowsWithNull:
    """Parsed rows with null among their cells; valid only in fields where a cell may be missing."""

    array: Array
    """(N, D); NaN for null."""


def number(value: object, field: str) -> float:
    """Read one number.

    Raises:
        InvalidInput: It is not a finite number.
    """
    reason = _why_not_finite(value, null="Send one, or leave it out.")
    if reason:
        raise InvalidInput(Problem(field, reason))
    return float(value)  # type: ignore[arg-type]  # a number, as there is no reason


def vector(value: object, field: str, *, missing: bool = False) -> Array:
    """Read a list of numbers; returns (N,).

    Args:
        value: The list.
        field: Its name, the prefix of positions in messages.
        missing: Whether null is a missing cell, which becomes NaN.

    Raises:
        InvalidInput: With the positions of values that are not numbers.
    """
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return value
    numbers = _sequence(value, field, "a list of numbers")
    _refuse(_bad_cells(numbers, field, missing=missing))
    return _array(numbers)


def matrix(value: object, field: str, *, missing: bool = False) -> Array:
    """Read a list of rows of one width; returns (N, D). See `vector` for the arguments.

    Raises:
        InvalidInput: With the positions of invalid rows or cells.
    """
    if isinstance(value, np.ndarray) and value.ndim == 2:
        return value
    rows = _sequence(value, field, "a list of rows, each a list of numbers")
    _refuse(_bad_rows(rows, field))
    _refuse(_bad_widths(rows, field))
    _refuse(problem for i, row in enumerate(rows) for problem in _bad_cells(row, f"{field}[{i}]", missing=missing))
    return _array(rows, len(rows[0]))  # type: ignore[arg-type]  # `_bad_rows` has checked it


def vector_with_missing(value: object, field: str) -> Array:
    """Read a list of numbers in which null is a missing cell; returns (D,). Raises the errors of `vector`."""
    return vector(value, field, missing=True)


def matrix_with_missing(value: object, field: str) -> Array:
    """Read rows in which null is a missing cell; returns (N, D). Raises the errors of `matrix`."""
    if isinstance(value, RowsWithNull):
        return value.array
    return matrix(value, field, missing=True)


def vector_or_matrix(value: object, field: str) -> Array:
    """Read a list of numbers (N,) or, if its first element is a list, of rows (N, K)."""
    items = _sequence(value, field, "a list of numbers or of rows")
    return matrix(items, field) if items and isinstance(items[0], list) else vector(items, field)


def number_or_vector(value: object, field: str) -> Array:
    """Read one number () or a list of numbers (K,)."""
    return vector(value, field) if isinstance(value, list) else np.array(number(value, field))


def tensor(value: object, shape: Sequence[int], field: str, *, missing: bool = False) -> Array:
    """Read numbers in row-major order, flat or as nested lists; returns an array of a shape.

    See `vector` for `missing`.

    Raises:
        InvalidInput: The lists do not fit the shape, or see `vector`.
    """
    nested = len(shape) > 1 and isinstance(value, list) and value and isinstance(value[0], list)
    if nested:
        cells = _nested(value, shape, field, missing=missing)
    else:
        cells = _row(value, prod(shape), field, missing=missing)
    return shaped(_array(cells), shape, field)


def position(field: str, indices: Iterable[int]) -> str:
    """Write the position of an entry: `x[3][1]`."""
    return field + "".join(f"[{i}]" for i in indices)


def describe(value: object) -> str:
    """Describe a JSON value for a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "a number"


def _array(values: list[object], width: int = 1) -> Array:
    """Convert numbers, or rows of one width, in chunks between which other threads may run."""
    at_once = max(CELLS_AT_ONCE // width, 1)
    chunks = [np.array(chunk, np.float64) for chunk in _chunks(values, at_once)]
    return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)


def _chunks(values: list[object], at_once: int) -> Iterator[list[object]]:
    """Cut a list; an empty one is one chunk."""
    if len(values) <= at_once:
        yield values
    else:
        yield from (values[start : start + at_once] for start in range(0, len(values), at_once))


def _sequence(value: object, field: str, what: str) -> list[object]:
    if not isinstance(value, list):
        raise InvalidInput(Problem(field, f"must be {what}; this is {describe(value)}."))
    if not value:
        raise InvalidInput(Problem(field, "is empty. Send at least one."))
    return value


def _nested(value: object, shape: Sequence[int], field: str, *, missing: bool) -> list[object]:
    """Flatten nested lists level by level, in C; on an error `_refuse_nested` finds the position."""
    level = [value]
    for size in shape:
        if any(type(inner) is not list or len(inner) != size for inner in level):
            _refuse_nested(value, shape, field, missing=missing)
        chunks, level = _chunks(level, CELLS_AT_ONCE), []
        for chunk in chunks:
            level += chain.from_iterable(chunk)  # type: ignore[arg-type]  # of lists
    if any(_bad_cells(level, field, missing=missing)):
        _refuse_nested(value, shape, field, missing=missing)
    return level


def _refuse_nested(value: object, shape: Sequence[int], field: str, *, missing: bool) -> None:
    if len(shape) == 1:
        _row(value, shape[0], field, missing=missing)
    else:
        for i, inner in enumerate(_of_length(value, shape[0], field)):
            _refuse_nested(inner, shape[1:], f"{field}[{i}]", missing=missing)


def _row(value: object, length: int, field: str, *, missing: bool) -> list[object]:
    row = _of_length(value, length, field)
    _refuse(_bad_cells(row, field, missing=missing))
    return row


def _of_length(value: object, length: int, field: str) -> list[object]:
    if not isinstance(value, list):
        raise InvalidInput(Problem(field, f"must be a list; this is {describe(value)}."))
    if len(value) != length:
        raise InvalidInput(Problem(field, f"has {len(value)} entries; by the shape there should be {length}."))
    return value


def _bad_rows(rows: list[object], field: str) -> Iterator[Problem]:
    for i, row in enumerate(rows):
        if not isinstance(row, list):
            yield Problem(f"{field}[{i}]", f"must be a row, a list of numbers; this is {describe(row)}.")
        elif not row:
            yield Problem(f"{field}[{i}]", "is empty. A row needs at least one number.")


def _bad_widths(rows: list[object], field: str) -> Iterator[Problem]:
    widths = [len(row) for row in rows if isinstance(row, list)]
    for i, width in enumerate(widths):
        if width != widths[0]:
            yield Problem(f"{field}[{i}]", f"has {width} numbers; row 0 has {widths[0]}. Send rows of one width.")


def _bad_cells(row: object, field: str, *, missing: bool) -> Iterator[Problem]:
    """Find values that are neither finite numbers nor, where a cell may be missing, null.

    Checked in chunks, between which other threads may run.
    """
    assert isinstance(row, list)  # noqa: S101  (checked by both callers)
    for start in range(0, len(row), CELLS_AT_ONCE):
        chunk = row[start : start + CELLS_AT_ONCE]
        if _are_finite(chunk):
            continue
        for i, cell in enumerate(chunk, start):
            reason = None if missing and cell is None else _why_not_finite(cell, missing=missing)
            if reason:
                yield Problem(f"{field}[{i}]", reason)


def _are_finite(cells: list[object]) -> bool:
    """Return whether all are finite numbers; checked in C."""
    try:
        return set(map(type, cells)) <= {int, float} and all(map(math.isfinite, cells))  # type: ignore[arg-type]  # numbers
    except OverflowError:
        return False


def _why_not_finite(cell: object, *, missing: bool = False, null: str = MISSING_REMEDY) -> str | None:
    if type(cell) not in {int, float}:
        return f"must be a number; this is {describe(cell)}. {null if cell is None else _remedy(cell)}"
    try:
        size = float(cell)  # type: ignore[arg-type]  # int or float
    except OverflowError:
        size = math.inf
    if math.isnan(size) and missing:
        return "is NaN, which is not JSON. Send null for a missing cell."
    if math.isnan(size):
        return "is NaN. Leave the observation out, or fill the value in."
    if math.isinf(size):
        return f"{INFINITE_FLAW}. {INFINITE_REMEDY}"
    return None


def _remedy(cell: object) -> str:
    if isinstance(cell, bool):
        return BOOLEAN_REMEDY
    return TEXT_REMEDY if isinstance(cell, str) else OTHER_TYPE_REMEDY


def _refuse(problems: Iterable[Problem]) -> None:
    found = tuple(islice(problems, MAX_REPORTED_NUMBERS))
    if found:
        raise InvalidInput(*found)
