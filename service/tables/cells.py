"""The cells of a column, as a source has them: numbers, yes or no, times or text."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from service.tables.text import MISSING, clean

CellKind = Literal["number", "boolean", "time", "text"]


class Cells(NamedTuple):
    """The cells of one column in N rows."""

    kind: CellKind
    values: NDArray[Any]
    """(N,). number: float64, NaN where missing. boolean: float64, 1, 0 or NaN. time: datetime64[us] in UTC, NaT where
    missing. text: int32, the index of the text, -1 where missing."""
    texts: tuple[str, ...] = ()
    """The different texts of a text column, without white space around them."""
    pointed: bool = False
    """Whether the numbers are of texts, of which one has a decimal point."""

    def missing(self) -> NDArray[np.bool_]:
        """Which cells are missing (N,)."""
        found: NDArray[np.bool_] = self.values < 0 if self.kind == "text" else np.isnan(self.values)
        return found

    def rows(self, places: slice | NDArray[Any]) -> "Cells":
        """Select rows."""
        return self._replace(values=self.values[places])


@dataclass(frozen=True)
class Chunk:
    """Rows of a table."""

    start: int
    """The number of the first row, from 0."""
    rows: int
    cells: Mapping[str, Cells]
    """By column."""
    batch: Any = field(default=None, compare=False)
    """The rows as the source has them, if it is a file: a pyarrow.RecordBatch with all its columns. Of a selection, the
    rows among which it was made."""
    selected: NDArray[np.intp] | None = field(default=None, compare=False)
    """The numbers of the rows, if they are a selection."""

    def number(self, row: int) -> int:
        """Return the number in the table of a row of the chunk."""
        return self.start + row if self.selected is None else int(self.selected[row])

    def numbers(self) -> NDArray[np.intp]:
        """Return the numbers in the table of all rows of the chunk (N,)."""
        return self.start + np.arange(self.rows) if self.selected is None else self.selected

    def parts(self, rows: int) -> Iterator["Chunk"]:
        """Split into chunks of at most so many rows."""
        if self.rows <= rows:
            yield self
            return
        for start in range(0, self.rows, rows):
            kept = {name: cells.rows(slice(start, start + rows)) for name, cells in self.cells.items()}
            batch = None if self.batch is None else self.batch.slice(start, rows)
            yield Chunk(self.start + start, min(rows, self.rows - start), kept, batch)

    def select(self, rows: NDArray[np.bool_]) -> "Chunk":
        """Keep some rows; the batch keeps all."""
        places = np.flatnonzero(rows)
        kept = {name: cells.rows(places) for name, cells in self.cells.items()}
        return Chunk(self.start, len(places), kept, self.batch, self.start + places)


class Table(Protocol):
    """Rows with named columns, which can be read several times."""

    name: str
    """In messages."""
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    """What reading has changed or left out, for people, such as `column 3 has no name, so it is 'column_3'`."""

    @property
    def progress(self) -> float:
        """The part that the present reading has passed, from 0 to 1."""

    def chunks(self, columns: Collection[str], *, text: Collection[str] = (), whole: bool = False) -> Iterator[Chunk]:
        """Read rows.

        Args:
            columns: The columns to read.
            text: Those of them to read as the text that is there, even if it is a number.
            whole: Whether chunks have all columns as the source has them, to write them again.
        """

    def place(self, row: int) -> str:
        """Say where a row is in the source, such as `line 7`."""


def text_cells(texts: Sequence[str], codes: NDArray[Any], missing: Collection[str] = MISSING) -> Cells:
    """Make the cells of a text column.

    Args:
        texts: As the source has them, different or not.
        codes: (N,) the index of each cell's text; -1 where missing.
        missing: Texts that mean that a cell is missing.
    """
    index: dict[str, int] = {}
    places = np.empty(len(texts) + 1, np.int32)
    for number, text in enumerate(map(clean, texts)):
        places[number] = -1 if text in missing else index.setdefault(text, len(index))
    places[-1] = -1
    return Cells("text", places[codes], tuple(index))


def cells_of(values: Sequence[object], missing: Collection[str] = MISSING) -> Cells | None:
    """Make the cells of a column of Python values, as of JSON; None if a value is none of them.

    Numbers and None are numbers, and text, numbers and booleans together are text.
    """
    kinds: set[type | None] = {*map(type, values)}
    if not kinds <= {int, float, NoneType}:
        kinds = {_kind(value) for value in values if value is not None}
    if kinds <= {int, float, NoneType}:
        try:
            return Cells("number", np.array(values, np.float64))
        except OverflowError:
            return None
    if kinds == {bool}:
        return Cells("boolean", np.array([np.nan if value is None else value for value in values], np.float64))
    if None in kinds:
        return None
    texts = {value: None for value in map(text_of, values) if value is not None}
    codes = {text: code for code, text in enumerate(texts)}
    places = np.array([-1 if value is None else codes[text_of(value) or ""] for value in values], np.int64)
    return text_cells(list(texts), places, missing)


def _kind(value: object) -> type | None:
    if isinstance(value, bool | np.bool_):
        return bool
    return (
        str if isinstance(value, str) else float if isinstance(value, int | float | np.integer | np.floating) else None
    )


def text_of(value: object) -> str | None:
    """Write a value as a file has it: 3.0 as 3, true and false in lower case; None where missing."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return None if value != value else str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)  # noqa: PLR0124
    return str(value)


def as_text(cells: Cells) -> Cells:
    """Write numbers, booleans and times as text; equal values are equal texts."""
    if cells.kind == "text":
        return cells
    gaps = cells.missing()
    different, codes = np.unique(cells.values[~gaps], return_inverse=True)
    places = np.full(len(cells.values), -1, np.int32)
    places[~gaps] = codes
    return Cells("text", places, tuple(_written(cells.kind, value) for value in different))


def _written(kind: CellKind, value: Any) -> str:  # noqa: ANN401  (a scalar of numpy)
    if kind == "time":
        return str(value).removesuffix("T00:00:00.000000").removesuffix(".000000")
    return text_of(bool(value) if kind == "boolean" else float(value)) or ""
