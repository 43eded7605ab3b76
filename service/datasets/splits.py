"""A dataset is cut into splits: row groups of large Parquet files, and whole files; needs pyarrow.

The cuts depend on the files alone, so that any number of processes joins the same parts in the same order.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from pyarrow import parquet

from service.datasets.files import DataFile
from service.tables.cells import Table
from service.tables.reading import ReadOptions, check_width, recognise_format, table_of

SPLIT_SIZE = 2**24
"""Bytes of a split, about: half a second of work, against milliseconds to start it."""
PIECES = 256
"""Files of a split, at most: many small ones are one split."""
READERS = 8
"""Threads that read the ends of large files, to find their row groups."""


@dataclass(frozen=True)
class Piece:
    """A file, or row groups of one."""

    file: DataFile
    place: int
    """Of the file among all files."""
    size: int
    """Bytes, about."""
    row_groups: tuple[int, ...] | None = None
    """Of a Parquet file; None for the whole file."""

    @property
    def is_first(self) -> bool:
        """Whether it is the first piece of its file."""
        return self.row_groups is None or 0 in self.row_groups

    @contextmanager
    def open(self, options: ReadOptions, max_columns: int | None = None) -> Iterator[Table]:
        """Open it as a table.

        Raises:
            InvalidInput: It cannot be read, has too many columns, or has changed.
        """
        with self.file.unchanged():
            table = table_of(self.file.content(), options, row_groups=self.row_groups)
            if max_columns is not None:
                check_width(table, max_columns)
            yield table


@dataclass(frozen=True)
class Split:
    """Consecutive pieces that one task reads."""

    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """Bytes, about."""
        return sum(piece.size for piece in self.pieces)


def pieces_of(files: Sequence[DataFile], options: ReadOptions) -> list[Piece]:
    """Cut files, in their order.

    Raises:
        InvalidInput: A large file cannot be read.
    """
    with ThreadPoolExecutor(READERS) as readers:
        cut = readers.map(partial(_cut, options=options), range(len(files)), files)
        return [piece for pieces in cut for piece in pieces]


def splits_of(pieces: Iterable[Piece], *, ordered: bool = False) -> list[Split]:
    """Join small pieces to splits.

    Args:
        pieces: In order.
        ordered: Whether one task must read all, because what it learns cannot be joined.
    """
    if ordered:
        return [Split(tuple(pieces))]
    splits, waiting, size = list[Split](), list[Piece](), 0
    for piece in pieces:
        if waiting and (size + piece.size > SPLIT_SIZE or len(waiting) == PIECES):
            splits.append(Split(tuple(waiting)))
            waiting, size = [], 0
        waiting.append(piece)
        size += piece.size
    return [*splits, Split(tuple(waiting))] if waiting else splits


def _cut(place: int, file: DataFile, options: ReadOptions) -> list[Piece]:
    """Cut a large Parquet file between row groups."""
    whole = [Piece(file, place, file.size)]
    if file.size <= SPLIT_SIZE:
        return whole
    content = file.content()
    if (options.format or recognise_format(content)) != "parquet":
        return whole
    with content.open_packed() as packed, parquet.ParquetFile(packed) as opened:
        groups = opened.metadata
        sizes = [groups.row_group(number).total_byte_size for number in range(groups.num_row_groups)]
    if len(sizes) < 2:
        return whole
    pieces, waiting = list[Piece](), list[int]()
    for number, size in enumerate(sizes):
        if waiting and sum(sizes[each] for each in waiting) + size > SPLIT_SIZE:
            pieces.append(_groups(file, place, waiting, sizes))
            waiting = []
        waiting.append(number)
    return [*pieces, _groups(file, place, waiting, sizes)]


def _groups(file: DataFile, place: int, groups: Sequence[int], sizes: Sequence[int]) -> Piece:
    return Piece(file, place, sum(sizes[group] for group in groups), tuple(groups))
