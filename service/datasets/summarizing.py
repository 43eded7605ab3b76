"""One schema for all files: the columns of each split are summarised, and the summaries are merged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import ConfigDict, TypeAdapter

from service.datasets.pieces_table import FileOptions
from service.datasets.splits import Piece, Split
from service.errors import InvalidInput, Problem
from service.tables.arrow_files import ArrowTable
from service.tables.cells import Table
from service.tables.encoding import check_columns
from service.tables.inferring import may_be_dates
from service.tables.schema import listed
from service.tables.summary import ColumnSummary, add_chunk


@dataclass
class SplitSummary:
    """What the columns of some rows look like."""

    rows: list[int] = field(default_factory=list)
    """Of each piece."""
    columns: dict[str, ColumnSummary] = field(default_factory=dict)
    unused: dict[str, list[str]] = field(default_factory=dict)
    """Columns of files that the first file does not have, by file."""
    notes: list[str] = field(default_factory=list)
    """What reading has changed or left out, for people."""
    __pydantic_config__ = ConfigDict(ser_json_inf_nan="constants")


SUMMARY = TypeAdapter(SplitSummary)


@dataclass(frozen=True)
class Summarize:
    """The work on a split."""

    reading: FileOptions
    first: str
    """The name of the first file, which has all columns."""
    known: tuple[str, ...]
    """All columns of the first file."""
    columns: tuple[str, ...]
    """Those to summarise."""
    text: frozenset[str]
    """Those of them to read as text."""
    target: str
    """Rows without it are left out of the other columns."""
    needed: tuple[str, ...] = ()
    """Further columns that each file must have."""

    def __call__(self, split: Split) -> bytes:
        """Summarise a split.

        Raises:
            InvalidInput: A file cannot be read, or has other columns.
        """
        found = SplitSummary(columns={name: ColumnSummary() for name in self.columns})
        for piece in split.pieces:
            with piece.open(*self.reading) as table:
                self._check(table)
                self._look_around(found, piece, table)
                self._add(found, table)
        for summary in found.columns.values():
            if summary.more_numbers and not may_be_dates(summary):
                summary.numbers = {summary.lowest, summary.highest}  # the others decide nothing
        return SUMMARY.dump_json(found)

    def _check(self, table: Table) -> None:
        wanted = [*self.columns, *self.needed]
        if table.name == self.first:
            check_columns(wanted, table.columns, table.name)
        elif missing := [name for name in dict.fromkeys(wanted) if name not in {*table.columns}]:
            text = f"has no column {listed(missing)}, which {self.first} has; it has {listed(table.columns)}. "
            raise InvalidInput(
                Problem(table.name, f"{text}Name files of one kind, or leave the column out (--ignore).")
            )

    def _look_around(self, found: SplitSummary, piece: Piece, table: Table) -> None:
        if piece.is_first:
            more = [name for name in table.columns if name not in self.known]
            found.unused |= {table.name: more} if more else {}
            found.notes += [f"{table.name}: {note}." for note in table.notes]

    def _add(self, found: SplitSummary, table: Table) -> None:
        start, summaries = sum(found.rows), self._by_statistics(table)
        left = [name for name in self.columns if name not in summaries]
        rows = 0 if left else max(summary.rows for summary in summaries.values())
        if left:
            read = {name: ColumnSummary() for name in left}
            for chunk in table.chunks({*left, self.target}, text={*self.text} & {*left, self.target}):
                add_chunk(read, chunk, self.target)
                rows += chunk.rows
            summaries |= read
        for name, summary in summaries.items():
            found.columns[name].merge(summary, start)
        found.rows.append(rows)

    def _by_statistics(self, table: Table) -> dict[str, ColumnSummary]:
        """Summarise numbers without reading them, in a Parquet file where every row has a target."""
        if not isinstance(table, ArrowTable):
            return {}
        summaries = table.summaries({*self.columns, self.target} - self.text)
        target = summaries.get(self.target)
        if target is None or target.missing:
            return {}
        return {name: summary for name, summary in summaries.items() if name in self.columns}


def merged(parts: Iterable[bytes], columns: Sequence[str]) -> SplitSummary:
    """Merge the results of `Summarize` in the order of the splits."""
    whole = SplitSummary(columns={name: ColumnSummary() for name in columns})
    for part in parts:
        later, start = SUMMARY.validate_json(part), sum(whole.rows)
        for name, summary in whole.columns.items():
            summary.merge(later.columns[name], start)
        whole.rows += later.rows
        whole.unused |= later.unused
        whole.notes += later.notes
    return whole


def mixed_columns(summary: SplitSummary) -> list[str]:
    """Name the columns that are text in one part and numbers in another: they must be read again, as text."""
    return [name for name, column in summary.columns.items() if len(column.kinds) > 1]
