"""Reading a CSV file with a header in chunks; errors name file, line and column."""

import csv
import math
import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from service.errors import InvalidInput, Problem
from service.inference.sizes import Array

MAX_CELLS_REPORTED = 3
MAX_NAMES_REPORTED = 20
ROW_LENGTH_LIMIT = 2**23
"""Characters of one row; an endless file may be one endless line."""
EMPTY_LINES_LIMIT = 10_000
"""Consecutive empty lines; an endless file may have nothing else."""

Row = tuple[int, list[str]]
"""The line on which a row begins, and its cells."""


class EmptyCells(NamedTuple):
    """The meaning of empty cells."""

    columns: frozenset[str] = frozenset()
    """Columns in which an empty cell is missing, NaN."""
    refusal: str = "is empty. Fill it in, or leave the row out."
    """The message for an empty cell of other columns."""


REFUSE_EMPTY = EmptyCells()

Chunks = Iterator[list[Array]]
"""Arrays of numbers (rows, columns), one for each group of columns."""


class CsvTable:
    """A CSV file; only the columns that are read have to be numbers.

    Args:
        path: Of a file in UTF-8 with a header, separated by commas. It is read once, and may be a pipe.

    Raises:
        InvalidInput: The file cannot be read, or has no header.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _in_words(path):
            self._file = path.open(encoding="utf-8-sig", newline="")
        self._read = 0
        """Characters of the present row."""
        try:
            self._rows = self._records()
            self.columns = self._header()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def progress(self) -> float:
        """The part of the file that is read, from 0 to 1; 0 for a pipe."""
        size = self.path.stat().st_size if self.path.is_file() else 0
        return os.lseek(self._file.fileno(), 0, os.SEEK_CUR) / size if size else 0.0

    def chunks(
        self, groups: Sequence[Sequence[str]], rows: int, empty: EmptyCells = REFUSE_EMPTY
    ) -> Iterator[list[Array]]:
        """Read columns as numbers.

        Args:
            groups: Names of columns; each group becomes one array.
            rows: Rows in one chunk.
            empty: The meaning of empty cells.

        Yields:
            (rows, len(group)) for each group; the last chunk may be shorter.

        Raises:
            InvalidInput: A cell is not a finite number, a column is missing, or the file is not CSV.
        """
        columns, ends = list(chain(*groups)), list(accumulate(map(len, groups)))
        check_has(self.path, self.columns, columns)
        places, body, found = [self.columns.index(name) for name in columns], self._body(), False
        with _in_words(self.path):
            while numbers := self._numbers(islice(body, rows), places, empty):
                yield np.split(np.frombuffer(numbers).reshape(-1, len(places)), ends[:-1], axis=1)
                found = True
        if not found:
            raise refuse(self.path, "has a header and no rows. It needs at least one.")

    def _records(self) -> Iterator[Row]:
        reader = csv.reader(self._lines(), strict=True, skipinitialspace=True)
        line, empty = 1, 0
        for record in reader:
            empty = 0 if record else empty + 1
            if empty > EMPTY_LINES_LIMIT:
                raise csv.Error(f"more than {EMPTY_LINES_LIMIT} empty lines")
            yield line, record
            line, self._read = reader.line_num + 1, 0

    def _lines(self) -> Iterator[str]:
        """Read lines, up to the limit of a row."""
        while line := self._file.readline(ROW_LENGTH_LIMIT):
            self._read += len(line)
            if self._read >= ROW_LENGTH_LIMIT:
                raise csv.Error(f"a row of more than {ROW_LENGTH_LIMIT} characters")
            yield line

    def _header(self) -> list[str]:
        with _in_words(self.path):
            _, header = next(self._rows, (1, []))
            if not header:
                rest = any(row for _, row in self._rows)
                what = "begins with an empty line." if rest else "is empty."
                raise refuse(self.path, f"{what} It needs a header and at least one row.")
        columns = [name.strip() for name in header]
        if "" in columns:
            place = columns.index("") + 1
            raise refuse(self.path, f"has no name for column {place}. Name it in the header, or leave it out.")
        check_names(self.path, columns)
        return columns

    def _body(self) -> Iterator[Row]:
        """Skip empty lines at the end only."""
        empty = None
        for line, row in self._rows:
            if row:
                self._check_width(*((line, row) if empty is None else (empty, [])))
                yield line, row
            elif empty is None:
                empty = line

    def _check_width(self, line: int, row: list[str]) -> None:
        if len(row) != len(self.columns):
            raise refuse(self.path, f"has {len(row)} cells; the header has {len(self.columns)}.", f"line {line}")

    def _numbers(self, rows: Iterable[Row], places: list[int], empty: EmptyCells) -> "array[float]":
        """Convert rows one by one: numbers take an eighth of the memory of text."""
        numbers, problems = array("d"), list[Problem]()
        for line, row in rows:
            for place in places:
                reason = _why_not_number(row[place], empty.refusal)
                if reason is empty.refusal and self.columns[place] in empty.columns:
                    numbers.append(math.nan)
                elif reason:
                    problems.append(Problem(f"{self.path}, line {line}, column {self.columns[place]!r}", reason))
                else:
                    numbers.append(float(row[place]))
            if len(problems) >= MAX_CELLS_REPORTED:
                break
        if problems:
            raise InvalidInput(*problems[:MAX_CELLS_REPORTED])
        return numbers


def check_names(path: Path, columns: Sequence[str]) -> None:
    """Check that names of columns are unique.

    Raises:
        InvalidInput: They are not.
    """
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise refuse(path, f"has more than one column {listed(twice)}. Give each column its own name.")


def check_has(path: Path, columns: Sequence[str], wanted: Sequence[str]) -> None:
    """Check that a file has some columns.

    Raises:
        InvalidInput: One is missing.
    """
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise refuse(path, f"has no column {listed(missing)}; it has {listed(columns)}.")


def refuse(path: Path, message: str, place: str = "") -> InvalidInput:
    """Make the error for a file, or for a place in it."""
    return InvalidInput(Problem(f"{path}, {place}" if place else str(path), message))


def listed(names: Sequence[str]) -> str:
    """Join names for a message."""
    more = f" and {len(names) - MAX_NAMES_REPORTED} more" if len(names) > MAX_NAMES_REPORTED else ""
    return ", ".join(map(repr, names[:MAX_NAMES_REPORTED])) + more


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Convert errors of reading."""
    try:
        yield
    except OSError as error:
        raise refuse(path, f"cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise refuse(path, "is not UTF-8. Save it as CSV in UTF-8.") from error
    except csv.Error as error:
        raise refuse(path, f"is not CSV ({error}).") from error


def _why_not_number(cell: str, empty: str) -> str | None:
    """Return the problem of a cell, or None; Python's 1_000 and digits of other scripts are not numbers here."""
    try:
        value = float(cell)
    except ValueError:
        return empty if not cell.strip() else f"is not a number: {cell[:40]!r}."
    if "_" in cell or not cell.strip().isascii():
        return f"is not a number: {cell[:40]!r}."
    if not math.isfinite(value):
        return f"is not a finite number: {cell.strip()[:40]!r}. Fill it in, or leave the row out."
    return None
