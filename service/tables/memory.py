"""Tables in memory: records and columns of JSON."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from service.errors import InvalidInput, Problem
from service.numbers import describe
from service.tables.cells import Cells, Chunk, as_text, cells_of
from service.tables.text import MISSING


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


def table_of_records(records: Sequence[object], name: str, missing: Collection[str] = MISSING) -> MemoryTable:
    """Make a table of records; a column that a record lacks is missing in its row.

    Args:
        records: One mapping for each row, from names to numbers, texts, booleans or None.
        name: In messages.
        missing: Texts that mean that a cell is missing.

    Raises:
        InvalidInput: A record or a value is something else.
    """
    if not records:
        raise InvalidInput(Problem(name, "has no rows. Send at least one."))
    columns: dict[str, list[object]] = {}
    for row, record in enumerate(records):
        if not isinstance(record, dict):
            raise InvalidInput(Problem(f"{name}[{row}]", f"must be an object of columns; this is {describe(record)}."))
        for column, value in record.items():
            values = columns.setdefault(column, [None] * row)
            values.extend([None] * (row - len(values)))
            values.append(value)
    for values in columns.values():
        values.extend([None] * (len(records) - len(values)))
    return _table(columns, name, missing, records=True)


def table_of_columns(
    columns: Mapping[str, Sequence[object]], name: str, missing: Collection[str] = MISSING
) -> MemoryTable:
    """Make a table of columns.

    Raises:
        InvalidInput: They differ in length, or a value is neither a number, a text, a boolean nor None.
    """
    for column, values in columns.items():
        if not isinstance(values, list | tuple):
            raise InvalidInput(Problem(f"{name}.{column}", f"must be a list; this is {describe(values)}."))
    lengths = {column: len(values) for column, values in columns.items()}
    if len({*lengths.values()}) > 1:
        (first, one), (second, other) = min(lengths.items(), key=_second), max(lengths.items(), key=_second)
        raise InvalidInput(Problem(name, f"has {one} rows in column {first!r} and {other} in {second!r}."))
    if not any(lengths.values()):
        raise InvalidInput(Problem(name, "has no rows. Send at least one."))
    return _table(columns, name, missing, records=False)


def _second(pair: tuple[str, int]) -> int:
    return pair[1]


def _table(
    columns: Mapping[str, Sequence[object]], name: str, missing: Collection[str], *, records: bool
) -> MemoryTable:
    cells = dict[str, Cells]()
    for column, values in columns.items():
        found = cells_of(values, missing)
        row = next((i for i, value in enumerate(values) if not _is_cell(value)), None)
        if found is None or row is not None:
            place = row or 0
            where = f"{name}[{place}].{column}" if records else f"{name}.{column}[{place}]"
            what = describe(values[place])
            raise InvalidInput(Problem(where, f"must be a finite number, a text, true, false or null; this is {what}."))
        cells[column] = found
    return MemoryTable(name, cells)


def _is_cell(value: object) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return bool(np.isfinite(float(value)))
        except OverflowError:
            return False
    return value is None or isinstance(value, str | bool)
