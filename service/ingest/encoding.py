"""Entries become rows, and those that cannot are found one by one."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.contexts.labels import read_name
from service.errors import InvalidInput
from service.ingest.source import LogEntry
from service.numbers import describe
from service.tables.cells import Cells, Chunk, cells_of, text_of
from service.tables.encoding import Findings, observations, values_of
from service.tables.schema import ColumnSchema, Kind, TableSchema, listed
from service.tables.text import clean

SHOWN = 60
"""Characters of a cell that a message shows."""

WORDS: dict[Kind, str] = {
    "number": "a number",
    "yes_no": "yes or no",
    "time": "a time",
    "category": "one of the classes of the first entries",
}

Array = NDArray[np.float64]


class BadEntry(NamedTuple):
    """An entry from which nothing is learnt."""

    entry: LogEntry
    problem: str


class EncodedEntries(NamedTuple):
    """N entries as numbers."""

    entries: list[LogEntry]
    names: list[str]
    """Of their contexts."""
    x: Array
    """(N, D)"""
    y: Array
    """(N,), or (N, K) for classes."""
    weight: Array | None
    """(N,)"""
    weight_column: str | None


def encode(
    entries: Sequence[LogEntry], schema: TableSchema | None, by: str, weight: str | None = None
) -> tuple[EncodedEntries | None, list[BadEntry]]:
    """Make numbers of entries; returns the rows, and the entries that are no rows.

    Args:
        entries: In order.
        schema: Of all of them; None if nothing is known yet because no entry was readable.
        by: The field that names the context.
        weight: The field with the weight.
    """
    bad, kept, names = list[BadEntry](), list[LogEntry](), list[str]()
    required = (by, *([weight] if weight else []), *(schema.feature_names if schema else ()))
    required = (*required, *([schema.target.name] if schema else ()))
    for entry in entries:
        problem = entry.problem or _problem(entry.fields, required)
        name = "" if problem else clean(text_of(entry.fields[by]) or "")
        problem = problem or _name_problem(by, name)
        if problem:
            bad.append(BadEntry(entry, problem))
        else:
            kept.append(entry)
            names.append(name)
    if schema is None:
        return None, [*bad, *(BadEntry(entry, "has no readable fields.") for entry in kept)]
    return _encode(kept, names, schema, weight, bad)


def has_columns(entry: LogEntry, columns: Sequence[str]) -> bool:
    """Return whether an entry has all of some fields."""
    return all(name in entry.fields for name in columns)


def readable(row: Mapping[str, object], columns: Sequence[ColumnSchema]) -> bool:
    """Return whether a row has readable or missing cells in some columns of numbers."""
    names = [column.name for column in columns]
    if _problem(row, names):
        return False
    return not any(_unreadable(column, _cells([row], column)).any() for column in columns)


def _encode(
    entries: list[LogEntry], names: list[str], schema: TableSchema, weight: str | None, bad: list[BadEntry]
) -> tuple[EncodedEntries | None, list[BadEntry]]:
    if not entries:
        return None, bad
    rows = [entry.fields for entry in entries]
    columns = [*schema.features, schema.target, *([ColumnSchema(weight, "number")] if weight else [])]
    cells = {column.name: _cells(rows, column) for column in columns}
    problems: dict[int, str] = {}
    for column in columns:
        unreadable = _unreadable(column, cells[column.name])
        if column.name in {schema.target.name, weight}:
            unreadable = unreadable | cells[column.name].missing()
        for row in np.flatnonzero(unreadable).tolist():
            problems.setdefault(row, _words(column, rows[row][column.name]))
    chunk = Chunk(0, len(rows), cells)
    good = np.ones(len(rows), np.bool_)
    good[[*problems]] = False
    bad += [BadEntry(entries[row], problem) for row, problem in problems.items()]
    if not good.any():
        return None, bad
    x, y, weights, places = observations(schema, chunk.select(good), Findings(), weight)
    kept = np.flatnonzero(good)[places].tolist()
    for row in sorted({*np.flatnonzero(good).tolist()} - {*kept}):  # of a class that the first entries did not have
        bad.append(BadEntry(entries[row], _words(schema.target, rows[row][schema.target.name])))
    return EncodedEntries([entries[row] for row in kept], [names[row] for row in kept], x, y, weights, weight), bad


def _cells(rows: Sequence[Mapping[str, object]], column: ColumnSchema) -> Cells:
    values = [row[column.name] for row in rows]
    if column.kind != "category":  # true among numbers is 1, whatever the other rows have
        values = [float(value) if isinstance(value, bool) else value for value in values]
    found = cells_of(values)
    if found is None:  # `_problem` has seen every value
        raise TypeError(column.name)
    return found


def _unreadable(column: ColumnSchema, cells: Cells) -> NDArray[np.bool_]:
    """Return which cells cannot be read as numbers, times, or yes or no (N,); every text is a level of a category."""
    if column.kind == "category":
        return np.zeros(len(cells.values), np.bool_)
    found: NDArray[np.bool_] = np.isnan(values_of(column, cells)) & ~cells.missing()
    return found


def _problem(fields: Mapping[str, object], required: Sequence[str]) -> str:
    """Say why fields are no row; empty if they are one."""
    for name in required:
        if name not in fields:
            missing = [column for column in required if column not in fields]
            return f"has no field {listed(missing, 5)}."
        value = fields[name]
        if not isinstance(value, str | int | float | None) or (isinstance(value, float) and not isfinite(value)):
            return f"has {_shown(value)} in {name[:SHOWN]!r}; a cell is a finite number, a text, true, false or null."
        if isinstance(value, str) and not value.isascii() and not _is_unicode(value):
            return f"has a text in {name[:SHOWN]!r} that is not valid Unicode."
        if isinstance(value, int) and abs(value) > 2**1000:
            return f"has a number in {name[:SHOWN]!r} that is too large for float64."
    return ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _name_problem(by: str, name: str) -> str:
    try:
        read_name(name, "")
    except InvalidInput as error:
        return f"has no name of a context in {by[:SHOWN]!r}: it {error}"
    return ""


def _words(column: ColumnSchema, value: object) -> str:
    return f"has {_shown(value)} in {column.name[:SHOWN]!r}, which must be {WORDS[column.kind]}."


def _shown(value: object) -> str:
    return repr(value[:SHOWN]) if isinstance(value, str) else describe(value)
