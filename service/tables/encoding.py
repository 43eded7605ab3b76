"""Rows of a table become x and y, by its schema."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.errors import InvalidInput, Problem
from service.tables.cells import Cells, Chunk, as_text
from service.tables.schema import LEVELS_LIMIT, WORDS_OF_KIND, ColumnSchema, TableSchema, listed
from service.tables.summary import DAY
from service.tables.text import microseconds, number_of, yes_or_no

Array = NDArray[np.float64]

ISO = "year-month-day"
"""The format of times that are text where those of the context were not."""
CHANGED = 0.5
"""If less than this part of a column can be read, it is another column."""


class EncodedRows(NamedTuple):
    """Rows that a model can learn from."""

    x: Array
    """(N, D); NaN where a cell is missing."""
    y: Array
    """(N,), or (N, K) for classes."""
    weight: Array | None
    """(N,)"""
    places: NDArray[np.intp]
    """(N,) their numbers in the table, from 0."""


class Finding(NamedTuple):
    """Cells of a column that are not as the schema has them."""

    column: str
    what: str
    """unreadable: read as missing. new_level: the category has not got this level. target: the row was not used."""
    cells: int
    """How many."""
    example: str
    row: int
    """Of the example, from 0."""


@dataclass
class Findings:
    """Findings in the cells of a table, over all its chunks."""

    by_kind: dict[tuple[str, str], Finding] = field(default_factory=dict)

    def add(self, column: str, what: str, cells: Cells, rows: NDArray[np.bool_], chunk: Chunk) -> None:
        """Add the cells of some rows.

        Args:
            column: Its name.
            what: See `Finding`.
            cells: All cells of the chunk.
            rows: Which of them.
            chunk: The chunk.
        """
        if rows.any():
            first = int(rows.argmax())
            text = as_text(cells.rows(slice(first, first + 1)))
            example = text.texts[text.values[0]] if text.values[0] >= 0 else ""
            known = self.by_kind.get((column, what), Finding(column, what, 0, example, chunk.number(first)))
            self.by_kind[column, what] = known._replace(cells=known.cells + int(rows.sum()))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.by_kind.values())


def observations(
    schema: TableSchema, chunk: Chunk, findings: Findings, weight: str | None = None, place: Callable[[int], str] = str
) -> EncodedRows:
    """Make observations of the rows that have a target.

    Args:
        schema: Of the table.
        chunk: Has the columns of the schema.
        findings: Gets the cells that cannot be read; a target that cannot be read leaves its row out.
        weight: The column of weights.
        place: Says where a row is.

    Raises:
        InvalidInput: A weight is not a number.
    """
    cells = chunk.cells[schema.target.name]
    y, known = _target(schema.target, cells)
    findings.add(schema.target.name, "target", cells, ~known & ~cells.missing(), chunk)
    places = np.flatnonzero(known)
    kept = chunk if len(places) == chunk.rows else chunk.select(known)
    x = _features(schema, kept, findings, strict=False, place=place)
    weights = None if weight is None else _weights(weight, kept, place)
    return EncodedRows(x, y[places], weights, chunk.start + places)


def queries(
    schema: TableSchema, chunk: Chunk, findings: Findings, place: Callable[[int], str] = str, *, strict: bool = True
) -> Array:
    """Make queries (M, D) of all rows.

    Args:
        schema: Of the table.
        chunk: Has the columns of the schema.
        findings: Gets the cells that cannot be read.
        place: Says where a row is.
        strict: Whether to refuse a column of which most cells cannot be read.

    Raises:
        InvalidInput: A column is missing, or holds something else than in the context.
    """
    return _features(schema, chunk, findings, strict=strict, place=place)


def without_target(schema: TableSchema, chunk: Chunk) -> NDArray[np.bool_]:
    """Return which rows have no target (N,)."""
    return chunk.cells[schema.target.name].missing()


def check_columns(wanted: Sequence[str], columns: Sequence[str], name: str) -> None:
    """See that a table has all of some columns.

    Raises:
        InvalidInput: One is missing.
    """
    there = {*columns}
    missing = [column for column in dict.fromkeys(wanted) if column not in there]
    if missing:
        raise InvalidInput(Problem(name, f"has no column {listed(missing)}; it has {listed(columns)}."))


def with_later_levels(schema: TableSchema, chunk: Chunk) -> TableSchema:
    """Add the levels that no row had before, where a category has room for them.

    They are added as the last columns of x, which is exact: they were 0 in all earlier rows.
    """
    later = list(schema.later)
    for column in schema.features:
        if column.kind == "category" and not column.other:
            own = [level for name, level in later if name == column.name]
            known, room = {*column.levels, *own}, LEVELS_LIMIT - len(column.levels) - len(own)
            cells = as_text(chunk.cells[column.name])
            used = [cells.texts[code] for code in np.unique(cells.values[cells.values >= 0]).tolist()]
            new = sorted(text for text in used if text not in known)
            later += [(column.name, level) for level in new[: max(0, room)]]
    return schema if len(later) == len(schema.later) else replace(schema, later=tuple(later))


def _features(
    schema: TableSchema, chunk: Chunk, findings: Findings, *, strict: bool, place: Callable[[int], str]
) -> Array:
    x, at, problems = np.zeros((chunk.rows, len(schema.x_columns))), 0, list[Problem]()
    later = len(schema.x_columns) - len(schema.later)
    for column in schema.features:
        cells, width = chunk.cells[column.name], len(column.columns())
        own = x[:, at : at + width]
        if column.kind == "category":
            places = {level: at + i for i, level in enumerate(column.levels)}
            places |= {level: later + i for i, (name, level) in enumerate(schema.later) if name == column.name}
            new = _set_levels(x, column, cells, places, at)
            findings.add(column.name, "new_level", cells, new, chunk)
        else:
            bad = _set_numbers(own, column, cells)
            findings.add(column.name, "unreadable", cells, bad, chunk)
            if strict and bad.any() and bad.sum() > CHANGED * (~cells.missing()).sum():
                problems.append(_changed(column, cells, bad, place(chunk.number(int(bad.argmax())))))
        at += width
    if problems:
        raise InvalidInput(*problems)
    return x


def _changed(column: ColumnSchema, cells: Cells, bad: NDArray[np.bool_], place: str) -> Problem:
    text = as_text(cells.rows(bad))
    if cells.pointed and column.decimal == ",":
        what = f"has decimal commas in the context and {text.texts[text.values[0]][:40]!r} here. Say the decimal sign"
        return Problem(f"column {column.name!r}, {place}", f"{what} (--decimal).")
    what = f"holds {WORDS_OF_KIND[column.kind]} in the context and {text.texts[text.values[0]][:40]!r} here"
    return Problem(f"column {column.name!r}, {place}", f"{what}. Send what the context has, or leave the cell empty.")


def _set_levels(x: Array, column: ColumnSchema, cells: Cells, places: dict[str, int], at: int) -> NDArray[np.bool_]:
    """Set the levels of a category (N, levels) to 1, and return which rows have a new one."""
    cells = as_text(cells)
    other = at + len(column.levels) if column.other else -1
    missing = at + len(column.levels) + column.other if column.missing else -1
    of_text = np.array([*(places.get(text, other) for text in cells.texts), missing])
    to = of_text[cells.values]  # -1, missing, is the last one
    rows = np.flatnonzero(to >= 0)
    x[rows, to[rows]] = 1.0
    new: NDArray[np.bool_] = (to < 0) & (cells.values >= 0)
    return new


def _set_numbers(own: Array, column: ColumnSchema, cells: Cells) -> NDArray[np.bool_]:
    """Set numbers, yes or no, or the parts of times (N, width), and return which cells cannot be read."""
    values = values_of(column, cells)
    bad: NDArray[np.bool_] = np.isnan(values) & ~cells.missing()
    if column.kind != "time":
        own[:, 0] = values
        return bad
    place = 0
    for part in column.parts:
        if part == "elapsed":
            own[:, place] = (values - column.start) / DAY
            place += 1
        else:
            angle = 2 * np.pi * _turn(part, values)
            own[:, place], own[:, place + 1] = np.sin(angle), np.cos(angle)
            place += 2
    return bad


def _turn(part: str, times: Array) -> Array:
    """Return how far a day, a week or a year has gone, from 0 to 1; NaN where a time is missing."""
    days = times / DAY
    if part == "time_of_day":
        turn: Array = days % 1.0
    elif part == "day_of_week":
        turn = np.floor(days) % 7.0 / 7.0
    else:
        turn = days / 365.2425 % 1.0
    return turn


def values_of(column: ColumnSchema, cells: Cells) -> Array:
    """Read the cells of a number, yes or no, or a time in microseconds (N,); NaN where one cannot be read."""
    if cells.kind == "text":
        of_text = np.array([*(_value(column, text) for text in cells.texts), np.nan])
        values: Array = of_text[cells.values]
    elif cells.kind == "time":
        if column.kind != "time":
            return np.full(len(cells.values), np.nan)
        values = np.where(cells.missing(), np.nan, cells.values.astype(np.int64).astype(float))
    else:
        if column.kind == "time":
            return values_of(column, as_text(cells))
        if cells.pointed and column.decimal == ",":  # the point may separate thousands
            return np.full(len(cells.values), np.nan)
        values = cells.values
        if column.kind == "yes_no" and cells.kind == "number":
            values = np.where((values == 0) | (values == 1), values, np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _value(column: ColumnSchema, text: str) -> float:
    if column.kind == "time":
        time = microseconds(text, column.date_format or ISO)
        return np.nan if time is None else float(time)
    if column.kind == "yes_no":
        found = yes_or_no(text)
        return found if found is not None else {"1": 1.0, "0": 0.0}.get(text, np.nan)
    number = number_of(text, column.decimal)
    return np.nan if number is None else number.value


def _target(target: ColumnSchema, cells: Cells) -> tuple[Array, NDArray[np.bool_]]:
    """Read the target, and say where it can be read."""
    if target.kind == "number":
        y = values_of(target, cells)
        return y, ~np.isnan(y)
    cells = as_text(cells)
    places = {level: i for i, level in enumerate(target.levels)}
    of_text = np.array([*(places.get(text, -1) for text in cells.texts), -1])
    to = of_text[cells.values]
    return np.eye(len(target.levels))[to] * (to >= 0)[:, None], to >= 0


def _weights(name: str, chunk: Chunk, place: Callable[[int], str]) -> Array:
    values = values_of(ColumnSchema(name, "number"), chunk.cells[name])
    bad = np.isnan(values)
    if bad.any():
        where = f"column {name!r}, {place(chunk.number(int(bad.argmax())))}"
        raise InvalidInput(Problem(where, "is not a number. Every observation needs a weight."))
    return values
