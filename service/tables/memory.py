"""Tables in memory: records and columns of JSON."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import isfinite
from types import NoneType

import numpy as np

from service.errors import MAX_REPORTED_PROBLEMS, InvalidInput, Problem
from service.numbers import describe
from service.tables.cells import Cells, Chunk, as_text, cells_of
from service.tables.schema import TEXT_LENGTH_LIMIT
from service.tables.text import MISSING

COLUMNS_LIMIT = 10_000
"""Columns of a table in memory."""
CELLS_LIMIT = 10_000_000
"""Cells of a table in memory."""
ROWS_BETWEEN_CHECKS = 1000
"""Records that are read before their cells are counted again."""


class MemoryTable:
    """A table of cells; see `Table`.

    Args:
        name: In messages.
        cells: Of equally many rows, by column.
    """

    progress = 1.0
    notes: tuple[str, ...] = ()

    def __init__(self, name: str, cells: Mapping[str, Cells]) -> None:
        self.name = name
        self.columns = tuple(cells)
        self.cells = cells
        self.rows = len(next(iter(cells.values())).values) if cells else 0

    def chunks(self, columns: Collection[str], *, text: Collection[str] = (), whole: bool = False) -> Iterator[Chunk]:  # noqa: ARG002  (there is no file)
        """Return all rows at once."""
        cells = {name: self.cells[name] for name in columns}
        yield Chunk(0, self.rows, {name: as_text(one) if name in text else one for name, one in cells.items()})

    def place(self, row: int) -> str:
        """Say where a row is."""
        return f"{self.name}[{row}]"


def table_of_records(records: Iterable[object], name: str, missing: Collection[str] = MISSING) -> MemoryTable:
    """Make a table of records; a column that a record lacks is missing in its row.

    Args:
        records: One dict for each row, from names to numbers, texts, booleans or None.
        name: In messages.
        missing: Texts that mean that a cell is missing.

    Raises:
        InvalidInput: A record or a value is something else, or there are too many columns or cells.
    """
    columns: dict[str, list[object]] = {}
    rows = 0
    for row, record in enumerate(records):
        if not isinstance(record, dict):
            raise InvalidInput(Problem(f"{name}[{row}]", f"must be an object of columns; this is {describe(record)}."))
        for column, value in record.items():
            values = columns.get(column)
            if values is None:
                values = columns[column] = []
                _check_size(columns, row + 1, name)
            if len(values) < row:
                values.extend([None] * (row - len(values)))
            values.append(value)
        rows += 1
        if rows % ROWS_BETWEEN_CHECKS == 0:
            _check_size(columns, rows, name)
    _check_size(columns, rows, name)
    for values in columns.values():
        values.extend([None] * (rows - len(values)))
    return _table(columns, name, missing, records=True)


def table_of_columns(
    columns: Mapping[str, Sequence[object]], name: str, missing: Collection[str] = MISSING
) -> MemoryTable:
    """Make a table of columns.

    Raises:
        InvalidInput: They differ in length, there are too many, or a value is neither a number, a text, a boolean nor
            None.
    """
    _check_size(columns, 0, name)
    for column, values in columns.items():
        if not isinstance(values, list | tuple):
            raise InvalidInput(Problem(f"{name}.{column[:60]}", f"must be a list; this is {describe(values)}."))
    lengths = {column: len(values) for column, values in columns.items()}
    if len({*lengths.values()}) > 1:
        (first, one), (second, other) = min(lengths.items(), key=_second), max(lengths.items(), key=_second)
        raise InvalidInput(Problem(name, f"has {one} rows in column {first[:60]!r} and {other} in {second[:60]!r}."))
    _check_size(columns, max(lengths.values(), default=0), name)
    return _table(columns, name, missing, records=False)


def _second(pair: tuple[str, int]) -> int:
    return pair[1]


def _check_size(columns: Collection[str], rows: int, name: str) -> None:
    """See that a table is not too large.

    Raises:
        InvalidInput: It has too many columns or cells; columns that few rows have count for all rows.
    """
    if len(columns) > COLUMNS_LIMIT:
        raise InvalidInput(Problem(name, f"has more than {COLUMNS_LIMIT} columns. Send those that are needed."))
    if len(columns) * rows > CELLS_LIMIT:
        what = f"has more than {CELLS_LIMIT} cells, in {rows} rows or more and {len(columns)} columns or more"
        raise InvalidInput(Problem(name, f"{what}. Send fewer."))


def _table(
    columns: Mapping[str, Sequence[object]], name: str, missing: Collection[str], *, records: bool
) -> MemoryTable:
    if not any(map(len, columns.values())):
        raise InvalidInput(Problem(name, "has no rows with columns. Send at least one."))
    cells, problems = dict[str, Cells](), list[Problem]()
    for column, values in columns.items():
        found, row = cells_of(values, missing), _first_that_is_no_cell(values)
        if len(column) > TEXT_LENGTH_LIMIT:
            text = f"has a column whose name has {len(column)} characters. Send at most {TEXT_LENGTH_LIMIT}."
            problems.append(Problem(name, text))
        elif row is not None or found is None:
            place, shown = row or 0, column[:60]
            where = f"{name}[{place}].{shown}" if records else f"{name}.{shown}[{place}]"
            what = _described(values[place])
            text = f"must be a finite number, a text, true, false or null; this is {what}."
            problems.append(Problem(where, text))
        else:
            cells[column] = found
        if len(problems) == MAX_REPORTED_PROBLEMS:
            break
    if problems:
        raise InvalidInput(*problems)
    return MemoryTable(name, cells)


def _described(value: object) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "infinite, NaN, or too large for float64" if number else describe(value)


def _first_that_is_no_cell(values: Sequence[object]) -> int | None:
    types = {*map(type, values)}
    if types <= {str, bool, NoneType}:
        return None
    if types <= {int, float, NoneType} and _finite(values):
        return None
    return next((row for row, value in enumerate(values) if not _is_cell(value)), None)


def _finite(values: Sequence[object]) -> bool:
    """Return whether all numbers of a list of numbers and None are finite."""
    try:
        finite = np.isfinite(np.array(values, np.float64))
    except OverflowError:
        return False
    return bool(finite.sum() + values.count(None) == len(values))


def _is_cell(value: object) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return bool(isfinite(value))
        except OverflowError:
            return False
    return value is None or isinstance(value, str | bool)
