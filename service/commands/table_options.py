"""Options of commands that read tables, and what becomes of the columns, for people."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from service.errors import InvalidInput, Problem
from service.tables.cells import Chunk, Table
from service.tables.describing import describe_columns
from service.tables.encoding import Finding
from service.tables.reading import ReadOptions, open_table
from service.tables.requested import Requested
from service.tables.schema import KINDS, Kind, TableSchema, Task
from service.tables.summary import ColumnSummary
from service.tables.text import Decimal
from service.visible import visible

Decorated = Callable[..., Any]
NAME_WIDTH = 30

OPTIONS = (
    click.option("--columns", multiple=True, metavar="A,B,…", help="The columns to predict from; all if left out."),
    click.option("--ignore", multiple=True, metavar="COLUMN", help="A column not to use; repeatable."),
    click.option(
        "--kind",
        "kinds",
        multiple=True,
        metavar="COLUMN=KIND",
        help=f"The kind of a column that is not what it looks like: {', '.join(KINDS)}; repeatable.",
    ),
    click.option("--task", type=click.Choice(["regression", "classification"]), help="Inferred if left out."),
    click.option("--separator", metavar="TEXT", help="Between the cells of a text file, recognised if left out."),
    click.option("--decimal", type=click.Choice([".", ","]), help="The decimal sign, recognised if left out."),
    click.option("--encoding", metavar="NAME", help="Of a text file, such as cp1252; recognised if left out."),
    click.option("--header/--no-header", default=None, help="Whether the first row has names; recognised if left out."),
    click.option("--na", multiple=True, metavar="TEXT", help="A text that means a missing cell, such as -999."),
    click.option("--sheet", metavar="NAME", help="Of a spreadsheet; the first one if left out."),
)


def table_options(command: Decorated) -> Decorated:
    """Add the options that say how a table is read, and what its columns are."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class TableOptions:
    """The values of `table_options`."""

    columns: tuple[str, ...]
    ignore: tuple[str, ...]
    kinds: tuple[str, ...]
    task: Task | None
    separator: str | None
    decimal: Decimal | None
    encoding: str | None
    header: bool | None
    na: tuple[str, ...]
    sheet: str | None

    @property
    def reading(self) -> ReadOptions:
        """How a file is read."""
        return ReadOptions(self.separator, self.decimal, self.encoding, self.header, frozenset(self.na), self.sheet)

    @property
    def says_columns(self) -> bool:
        """Whether a caller says what becomes of columns."""
        return bool(self.columns or self.ignore or self.kinds or self.task)

    def open(self, path: Path, max_columns: int) -> AbstractContextManager[Table]:
        """Open a table; one column more than the limit may be the weight.

        Raises:
            InvalidInput: It cannot be read.
        """
        return open_table(path, str(path), self.reading, max_columns=max_columns + 1)

    def requested(
        self, table: Table, target: str | None, *, keys: Sequence[str] = (), weight: str | None = None
    ) -> Requested:
        """Convert to the type of the tables; `--columns` may be several names with commas between them.

        Raises:
            InvalidInput: `--kind` is not understood.
        """
        columns = tuple(name for text in self.columns for name in _names(text, table.columns)) or None
        return Requested(
            target, columns, self.ignore, tuple(keys), weight, kinds_by_name(self.kinds), self.task, self.decimal
        )


def _names(text: str, columns: Sequence[str]) -> list[str]:
    return [text] if text in columns else [name.strip() for name in text.split(",") if name.strip()]


def kinds_by_name(values: Iterable[str]) -> Mapping[str, Kind]:
    """Parse values of `--kind COLUMN=KIND`.

    Raises:
        InvalidInput: One is not of this form.
    """
    found: dict[str, Kind] = {}
    for text in values:
        name, _, kind = text.rpartition("=")
        if kind not in KINDS or not name:
            problem = f"must be COLUMN=KIND, with one of {', '.join(KINDS)}; this is {text!r}."
            raise InvalidInput(Problem("--kind", problem))
        found[name] = kind
    return found


class WatchedTable:
    """A table whose readings are reported.

    Args:
        table: The table.
        report: Called after each chunk, with the number of the reading and the part of it that has passed.
    """

    def __init__(self, table: Table, report: Callable[[int, float], None]) -> None:
        self._table, self._report, self._readings = table, report, 0
        self.name, self.columns, self.notes = table.name, table.columns, table.notes

    @property
    def progress(self) -> float:
        """The part that the present reading has passed, from 0 to 1."""
        return self._table.progress

    def chunks(self, columns: Iterable[str], *, text: Iterable[str] = (), whole: bool = False) -> Iterator[Chunk]:
        """Read rows; see `Table.chunks`."""
        reading, self._readings = self._readings, self._readings + 1
        for chunk in self._table.chunks([*columns], text=[*text], whole=whole):
            yield chunk
            self._report(reading, self._table.progress)

    def place(self, row: int) -> str:
        """Say where a row is."""
        return self._table.place(row)


def aligned(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Format names and what becomes of them, in two columns."""
    width = min(NAME_WIDTH, max((len(name) for name, _ in rows), default=0))
    return (visible(f"  {name:{width}}  {text}") for name, text in rows)


def missing_cells(count: int) -> str:
    """Say how many cells are missing."""
    return f"; {count} missing cell{'s' * (count > 1)}" if count else ""


FINDINGS = {
    "unreadable": "not readable, taken as missing",
    "new_level": "with a level that no row with a target has, taken as none",
    "target": "not readable, rows not used",
}
"""Words for cells, by `Finding.what`."""


def learnt_columns(
    learnt: str, schema: TableSchema, summaries: Mapping[str, ColumnSummary], weight: str | None
) -> Iterator[str]:
    """Say how the columns of a context were used, unless all are numbers without gaps.

    Args:
        learnt: The first line: from how many rows, and by which model.
        schema: What became of each column.
        summaries: Of the columns.
        weight: The column of weights.
    """
    gaps = {name: summary.missing for name, summary in summaries.items() if name != schema.target.name}
    plain = all(column.kind == "number" and column.decimal == "." for column in (*schema.columns, schema.target))
    if not plain or any(gaps.values()):
        yield learnt
        rows = [
            (column.name, f"{column.description}{missing_cells(gaps.get(column.name, 0))}")
            for column in describe_columns(schema, weight)
        ]
        yield from aligned(rows)


def finding_line(found: Finding, place: str) -> str:
    """Say which cells of a column could not be used."""
    cells = "cell" if found.cells == 1 else "cells"
    example = f"such as {found.example[:40]!r} ({place})"
    return f"column {found.column!r}: {found.cells} {cells} {FINDINGS[found.what]}, {example}."
