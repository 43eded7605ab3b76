"""The pieces of a dataset as one table."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from service.datasets.files import DataFile
from service.datasets.splits import Piece, pieces_of
from service.tables.cells import Chunk
from service.tables.encoding import check_columns
from service.tables.reading import ReadOptions


class FileOptions(NamedTuple):
    """How the files of a dataset are read."""

    options: ReadOptions
    max_columns: int


class PiecesTable:
    """Consecutive pieces as one table; each is open while it is read. See `Table`.

    Args:
        pieces: At least one; the first has the columns that are known.
        reading: How they are read.

    Raises:
        InvalidInput: The first piece cannot be read.
    """

    def __init__(self, pieces: Sequence[Piece], reading: FileOptions) -> None:
        self._pieces, self._reading = pieces, reading
        self.rows = list[int]()
        """Of each piece that the last reading has passed."""
        with pieces[0].open(*reading) as table:
            self.columns, self.notes = table.columns, table.notes
        self.name = pieces[0].file.name

    @property
    def progress(self) -> float:
        """The part of the pieces that the present reading has passed, from 0 to 1."""
        return len(self.rows) / len(self._pieces)

    def chunks(self, columns: Collection[str], *, text: Collection[str] = (), whole: bool = False) -> Iterator[Chunk]:
        """Read rows; see `Table.chunks`.

        Raises:
            InvalidInput: A piece cannot be read, or has not the columns.
        """
        start, self.rows = 0, []
        for piece in self._pieces:
            first = start
            with piece.open(*self._reading) as table:
                check_columns([*columns], table.columns, table.name)
                for chunk in table.chunks(columns, text=text, whole=whole):
                    yield replace(chunk, start=start)
                    start += chunk.rows
            self.rows.append(start - first)

    def place(self, row: int) -> str:
        """Say where a row is, of those that the last reading has passed."""
        return place_in(self._pieces, self.rows, row, self._reading)


class Dataset(NamedTuple):
    """The rows of files, and how they are read."""

    pieces: Sequence[Piece]
    """Of the files, in order; the first file has the columns that are known."""
    reading: FileOptions

    @classmethod
    def of(cls, files: Sequence[DataFile], reading: FileOptions) -> "Dataset":
        """Cut files.

        Raises:
            InvalidInput: One cannot be read.
        """
        return cls(pieces_of(files, reading.options), reading)

    def table(self) -> PiecesTable:
        """Return all rows as one table."""
        return PiecesTable(self.pieces, self.reading)


def place_in(
    pieces: Sequence[Piece], rows: Sequence[int], row: int, reading: FileOptions, *, limit: int | None = None
) -> str:
    """Say in which file a row is, and where.

    Args:
        pieces: In order.
        rows: Of each of them that was read; the row may be in the next one.
        row: From 0, over all pieces.
        reading: How they are read.
        limit: The row of a piece from which on its number is said, rather than its line, which must be looked for.
    """
    number = 0
    while number < min(len(rows), len(pieces) - 1) and row >= rows[number]:
        row, number = row - rows[number], number + 1
    piece = pieces[number]
    if limit is not None and row >= limit:
        return f"{piece.file.name}, row {row + 1}" if piece.row_groups is None else piece.file.name
    with piece.open(*reading) as table:
        return f"{piece.file.name}, {table.place(row)}"
