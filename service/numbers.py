"""JSON lists to arrays, refusing what is not a finite number by its position.

A list that is an array already, of the axes that are wanted, is left as it is: JSON has no number that is not finite,
and binary bodies are checked by `tensors`. What a number is, `real_numbers` says. It is
stricter than numpy on purpose: no string or boolean becomes a number, null becomes NaN only where a cell may be
missing, rows must have one width, and NaN, ±Infinity and numbers beyond float64 are named by their place.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from math import prod

import numpy as np

from service.errors import InvalidInput, Problem
from service.inference.sizes import Array, shaped
from service.real_numbers import BOOLEAN, FINITE, INFINITE, MAX_REPORTED_NUMBERS, MISSING, OTHER, TEXT


@dataclass(frozen=True)
class Cells:
    """Rows that were read already, null among their cells: for fields alone in which a cell may be missing."""

    array: Array
    """(N, D); NaN where a cell is null."""


def number(value: object, field: str) -> float:
    """Read one number.

    Raises:
        InvalidInput: It is not a finite one.
    """
    reason = _why_not_finite(value, null="Send one, or leave it out.")
    if reason:
        raise InvalidInput(Problem(field, reason))
    return float(value)  # type: ignore[arg-type]


def vector(value: object, field: str, *, missing: bool = False) -> Array:
    """Read a list of numbers; returns (N,).

    Args:
        value: The list.
        field: What it is called, to begin every position with.
        missing: Whether null is a missing cell, and becomes NaN.

    Raises:
        InvalidInput: With the position of everything that is not a number.
    """
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return value
    numbers = _sequence(value, field, "a list of numbers")
    _refuse(_bad_cells(numbers, field, missing=missing))
    return np.array(numbers, dtype=np.float64)


def matrix(value: object, field: str, *, missing: bool = False) -> Array:
    """Read a list of rows of one width; returns (N, D); arguments as of `vector`.

    Raises:
        InvalidInput: With the position of every row or cell that does not fit.
    """
    if isinstance(value, np.ndarray) and value.ndim == 2:
        return value
    rows = _sequence(value, field, "a list of rows, each a list of numbers")
    _refuse(_bad_rows(rows, field))
    _refuse(_bad_widths(rows, field))
    _refuse(problem for i, row in enumerate(rows) for problem in _bad_cells(row, f"{field}[{i}]", missing=missing))
    return np.array(rows, dtype=np.float64)


def row(value: object, field: str) -> Array:
    """Read a list of numbers in which null is a missing cell; returns (D,), as `vector`."""
    return vector(value, field, missing=True)


def cells(value: object, field: str) -> Array:
    """Read rows in which null is a missing cell; returns (N, D), as `matrix`."""
    if isinstance(value, Cells):
        return value.array
    return matrix(value, field, missing=True)


def vector_or_matrix(value: object, field: str) -> Array:
    """Read a list of numbers (N,) or a list of rows (N, K), whichever its first element says."""
    if isinstance(value, np.ndarray):
        return value
    items = _sequence(value, field, "a list of numbers or of rows")
    return matrix(items, field) if items and isinstance(items[0], list) else vector(items, field)


def number_or_vector(value: object, field: str) -> Array:
    """Read one number () or a list of numbers (K,), whichever it is."""
    return vector(value, field) if isinstance(value, list) else np.array(number(value, field))


def tensor(value: object, shape: Sequence[int], field: str, *, missing: bool = False) -> Array:
    """Read numbers in row-major order, flat or as lists in lists; returns an array of that shape.

    `missing` is as for `vector`.

    Raises:
        InvalidInput: The numbers are not as many as the shape says, or the lists not as long; or as for `vector`.
    """
    nested = len(shape) > 1 and isinstance(value, list) and value and isinstance(value[0], list)
    if nested:
        cells = _nested(value, shape, field, missing=missing)
    else:
        cells = _row(value, prod(shape), field, missing=missing)
    return shaped(np.array(cells, dtype=np.float64), shape, field)


def is_finite(array: Array) -> bool:
    """Tell whether no number is NaN or infinite; of few numbers numpy's own `all` takes three times as long."""
    return b"\0" not in np.isfinite(array).tobytes()


def position(field: str, indices: Iterable[int]) -> str:
    """Write the place of an entry: `x[3][1]`."""
    return field + "".join(f"[{i}]" for i in indices)


def named(value: object) -> str:
    """Name a JSON value as its sender would."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "a number"


def _sequence(value: object, field: str, what: str) -> list[object]:
    if not isinstance(value, list):
        raise InvalidInput(Problem(field, f"must be {what}; this is {named(value)}."))
    if not value:
        raise InvalidInput(Problem(field, "is empty. Send at least one."))
    return value


def _nested(value: object, shape: Sequence[int], field: str, *, missing: bool) -> list[object]:
    """Take lists in lists apart, level by level at C speed; only if something is wrong, walk through them for where."""
    level = [value]
    for size in shape:
        if any(type(inner) is not list or len(inner) != size for inner in level):
            _refuse_nested(value, shape, field, missing=missing)
        level = list(chain.from_iterable(level))  # type: ignore[arg-type]
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
        raise InvalidInput(Problem(field, f"must be a list; this is {named(value)}."))
    if len(value) != length:
        raise InvalidInput(Problem(field, f"has {len(value)} entries; by the shape they should be {length}."))
    return value


def _bad_rows(rows: list[object], field: str) -> Iterator[Problem]:
    for i, row in enumerate(rows):
        if not isinstance(row, list):
            yield Problem(f"{field}[{i}]", f"must be a row, a list of numbers; this is {named(row)}.")
        elif not row:
            yield Problem(f"{field}[{i}]", "is empty. A row needs at least one number.")


def _bad_widths(rows: list[object], field: str) -> Iterator[Problem]:
    widths = [len(row) for row in rows if isinstance(row, list)]
    for i, width in enumerate(widths):
        if width != widths[0]:
            yield Problem(f"{field}[{i}]", f"has {width} numbers; row 0 has {widths[0]}. Send rows of one width.")


def _bad_cells(row: object, field: str, *, missing: bool) -> Iterator[Problem]:
    """Find everything in a list that is not a finite number, nor null where a cell may be missing.

    A list of numbers alone is passed in three sweeps at C speed.
    """
    assert isinstance(row, list)  # noqa: S101  (both callers have refused anything else)
    try:
        if set(map(type, row)) <= {int, float} and all(map(math.isfinite, row)):
            return
    except OverflowError:
        pass
    for i, cell in enumerate(row):
        reason = None if missing and cell is None else _why_not_finite(cell, missing=missing)
        if reason:
            yield Problem(f"{field}[{i}]", reason)


def _why_not_finite(cell: object, *, missing: bool = False, null: str = MISSING) -> str | None:
    if type(cell) not in {int, float}:
        return f"must be a number; this is {named(cell)}. {null if cell is None else _remedy(cell)}"
    try:
        size = float(cell)  # type: ignore[arg-type]
    except OverflowError:
        size = math.inf
    if math.isnan(size) and missing:
        return "is NaN, which is not JSON. Send null for a missing cell."
    if math.isnan(size):
        return "is NaN. Leave the observation out, or fill the value in."
    if math.isinf(size):
        return f"{INFINITE}. {FINITE}"
    return None


def _remedy(cell: object) -> str:
    if isinstance(cell, bool):
        return BOOLEAN
    return TEXT if isinstance(cell, str) else OTHER


def _refuse(problems: Iterable[Problem]) -> None:
    found = tuple(islice(problems, MAX_REPORTED_NUMBERS))
    if found:
        raise InvalidInput(*found)
