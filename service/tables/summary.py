"""What the cells of a column look like; the summaries of parts of a table add up."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from service.tables.cells import CellKind, Cells, Chunk, Table
from service.tables.schema import TEXT_LENGTH_LIMIT

TEXTS_LIMIT = 10_000
"""Different texts, or different numbers, that are counted for a column."""
CHARACTERS_LIMIT = 2**21
"""Characters of these texts."""
LONG = TEXT_LENGTH_LIMIT + 1
"""Characters of a text that are kept; one so long is neither a number nor a level."""


@dataclass
class ColumnSummary:
    """Counts and ranges of the cells of one column."""

    rows: int = 0
    missing: int = 0
    kinds: set[CellKind] = field(default_factory=set)
    """Of cells that are not missing."""
    texts: Counter[str] = field(default_factory=Counter)
    """How often each text occurs; the first `TEXTS_LIMIT` different ones."""
    first_rows: dict[str, int] = field(default_factory=dict)
    """The row of each text's first occurrence, from 0."""
    characters: int = 0
    """Of these texts."""
    more_texts: bool = False
    """Whether there are more different texts."""
    numbers: set[float] = field(default_factory=set)
    """Different numbers, times in microseconds since 1970, and 1 and 0 for yes and no."""
    more_numbers: bool = False
    lowest: float = np.inf
    highest: float = -np.inf
    first: float = np.nan
    """The number of the first row that has one, and of the last."""
    last: float = np.nan
    rises: bool = True
    """Whether each number is more than that of the row before it."""
    whole: bool = True
    """Whether all numbers are integers."""
    clock: bool = False
    """Whether a time has a time of day."""

    @property
    def present(self) -> int:
        """Cells that are not missing."""
        return self.rows - self.missing

    def add(self, cells: Cells, start: int) -> None:
        """Add the cells of further rows.

        Args:
            cells: Of N rows.
            start: The number of the first row.
        """
        gaps = cells.missing()
        there = np.flatnonzero(~gaps)
        self.rows += len(gaps)
        self.missing += len(gaps) - len(there)
        if len(there):
            self.kinds.add(cells.kind)
            values = cells.values[there]
            if cells.kind == "text":
                self._add_texts(values, cells.texts, start + there)
            else:
                self._add_numbers(values.astype(np.int64).astype(float) if cells.kind == "time" else values)
                self.clock = self.clock or (cells.kind == "time" and bool((values.astype(np.int64) % DAY).any()))

    def _add_texts(self, codes: NDArray[np.int32], texts: tuple[str, ...], rows: NDArray[np.intp]) -> None:
        counts = np.bincount(codes, minlength=len(texts))
        first = np.zeros(len(texts), np.int64)
        first[codes[::-1]] = rows[::-1]
        for code in np.flatnonzero(counts).tolist():
            text = texts[code][:LONG]
            if text not in self.texts:
                if len(self.texts) == TEXTS_LIMIT or self.characters > CHARACTERS_LIMIT:
                    self.more_texts = True
                    continue
                self.characters += len(text)
                self.first_rows[text] = int(first[code])
            self.texts[text] += int(counts[code])

    def _add_numbers(self, values: NDArray[np.float64]) -> None:
        if self.rises:
            self.rises = bool((np.diff(values) > 0).all()) and not values[0] <= self.last
        self.first = float(values[0]) if np.isnan(self.first) else self.first
        self.last = float(values[-1])
        if self.whole:
            self.whole = bool((values == np.floor(values)).all())
        self.lowest = min(self.lowest, float(values.min()))
        self.highest = max(self.highest, float(values.max()))
        if not self.more_numbers:
            self.numbers.update(np.unique(values).tolist())
            self.more_numbers = len(self.numbers) > TEXTS_LIMIT

    def merge(self, later: "ColumnSummary", start: int) -> None:
        """Add the summary of the same column in further rows.

        Args:
            later: Of the rows after these.
            start: The number of their first row.
        """
        self.rows += later.rows
        self.missing += later.missing
        self.kinds |= later.kinds
        self.more_texts |= later.more_texts
        for text, count in later.texts.items():
            if text not in self.texts:
                if len(self.texts) == TEXTS_LIMIT or self.characters > CHARACTERS_LIMIT:
                    self.more_texts = True
                    continue
                self.characters += len(text)
                self.first_rows[text] = start + later.first_rows[text]
            self.texts[text] += count
        self.numbers |= later.numbers
        self.more_numbers = self.more_numbers or later.more_numbers or len(self.numbers) > TEXTS_LIMIT
        self.rises = self.rises and later.rises and not later.first <= self.last
        self.first = later.first if np.isnan(self.first) else self.first
        self.last = self.last if np.isnan(later.last) else later.last
        self.lowest, self.highest = min(self.lowest, later.lowest), max(self.highest, later.highest)
        self.whole, self.clock = self.whole and later.whole, self.clock or later.clock


DAY = 86_400 * 10**6
"""Microseconds."""


def summarize(
    table: Table,
    columns: Collection[str],
    text: Collection[str] = (),
    known: str | None = None,
) -> dict[str, ColumnSummary]:
    """Read a table and summarise its columns.

    A column that is text in one part of the file and numbers in another is read again, as text.

    Args:
        table: May be larger than memory.
        columns: The columns to summarise.
        text: Those of them to read as text.
        known: A column in which a missing cell leaves the row out, for all other columns.
    """
    found = _summarize(table.chunks(columns, text=text), columns, known)
    mixed = {name for name, summary in found.items() if len(summary.kinds) > 1}
    if mixed:
        wanted = mixed | ({known} if known else set())
        again = _summarize(table.chunks(wanted, text={*text, *mixed}), wanted, known)
        found |= {name: again[name] for name in mixed}
    return found


def _summarize(chunks: Iterable[Chunk], columns: Collection[str], known: str | None) -> dict[str, ColumnSummary]:
    found = {name: ColumnSummary() for name in columns}
    for chunk in chunks:
        add_chunk(found, chunk, known)
    return found


def add_chunk(summaries: Mapping[str, ColumnSummary], chunk: Chunk, known: str | None = None) -> None:
    """Add the cells of further rows to the summaries of columns."""
    rows = None if known is None else ~chunk.cells[known].missing()
    for name, summary in summaries.items():
        cells = chunk.cells[name]
        if rows is None or name == known or rows.all():
            summary.add(cells, chunk.start)
        else:
            summary.add(cells.rows(rows), chunk.start)
