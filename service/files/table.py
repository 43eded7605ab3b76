"""One CSV file with a header, read in chunks; bad cells are refused by file, line and column."""

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
from service.shapes import Array

SHOWN = 3
"""Of a column of bad cells the first few are enough."""
NAMES_SHOWN = 20
"""Names of columns that a message lists at most."""
LONGEST_ROW = 2**23
"""Characters of one row; a file without end may be a line without end."""
EMPTY_LINES = 10_000
"""In a row; a file without end may have nothing else."""

Row = tuple[int, list[str]]
"""The line of the file on which a row begins, and its cells."""


class Gaps(NamedTuple):
    """What an empty cell is."""

    columns: frozenset[str] = frozenset()
    """In these it is a missing one, NaN."""
    refusal: str = "is empty. Fill it in, or leave the row out."
    """What is wrong with it elsewhere."""


NO_GAPS = Gaps()


class Table:
    """A file whose header is read; only the columns that are asked for have to be numbers.

    Args:
        path: Of a file with commas, in UTF-8, with a header, and quotes where needed. It is read once, from its
            beginning to its end, and may be a pipe.

    Raises:
        InvalidInput: It cannot be read, or has no header; later, that it is not a table.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _in_words(path):
            self._file = path.open(encoding="utf-8-sig", newline="")
        self._read = 0
        """Characters of the row that is read."""
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
        """How much of the file is read, from 0 to 1; always 0 of a pipe."""
        size = self.path.stat().st_size if self.path.is_file() else 0
        return os.lseek(self._file.fileno(), 0, os.SEEK_CUR) / size if size else 0.0

    def chunks(self, groups: Sequence[Sequence[str]], rows: int, gaps: Gaps = NO_GAPS) -> Iterator[list[Array]]:
        """Read some columns as numbers.

        Args:
            groups: Of columns by name; each becomes an array of its own.
            rows: Most rows of one chunk.
            gaps: Where a cell may be empty.

        Yields:
            (rows, len(group)) for each group; the last ones may be shorter.

        Raises:
            InvalidInput: A cell of them is not a finite number, a column is not there, or it is not a table.
        """
        columns, ends = list(chain(*groups)), list(accumulate(map(len, groups)))
        check_has(self.path, self.columns, columns)
        places, body, found = [self.columns.index(name) for name in columns], self._body(), False
        with _in_words(self.path):
            while numbers := self._numbers(islice(body, rows), places, gaps):
                yield np.split(np.frombuffer(numbers).reshape(-1, len(places)), ends[:-1], axis=1)
                found = True
        if not found:
            raise refuse(self.path, "has a header and no rows. It needs at least one.")

    def _records(self) -> Iterator[Row]:
        reader = csv.reader(self._lines(), strict=True, skipinitialspace=True)
        line, empty = 1, 0
        for record in reader:
            empty = 0 if record else empty + 1
            if empty > EMPTY_LINES:
                raise csv.Error(f"more than {EMPTY_LINES} empty lines")
            yield line, record
            line, self._read = reader.line_num + 1, 0

    def _lines(self) -> Iterator[str]:
        """Read lines, as long as they do not make a row without end."""
        while line := self._file.readline(LONGEST_ROW):
            self._read += len(line)
            if self._read >= LONGEST_ROW:
                raise csv.Error(f"a row of more than {LONGEST_ROW} characters")
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
        """Pass over empty lines at the end, and nowhere else."""
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

    def _numbers(self, rows: Iterable[Row], places: list[int], gaps: Gaps) -> "array[float]":
        """Read cells row by row: as numbers they take an eighth of the memory that they take as text."""
        numbers, problems = array("d"), list[Problem]()
        for line, row in rows:
            for place in places:
                reason = _why_not_number(row[place], gaps.refusal)
                if reason is gaps.refusal and self.columns[place] in gaps.columns:
                    numbers.append(math.nan)
                elif reason:
                    problems.append(Problem(f"{self.path}, line {line}, column {self.columns[place]!r}", reason))
                else:
                    numbers.append(float(row[place]))
            if len(problems) >= SHOWN:
                break
        if problems:
            raise InvalidInput(*problems[:SHOWN])
        return numbers


def check_names(path: Path, columns: Sequence[str]) -> None:
    """See that every column has a name of its own.

    Raises:
        InvalidInput: It has not.
    """
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise refuse(path, f"has more than one column {listed(twice)}. Give each column its own name.")


def check_has(path: Path, columns: Sequence[str], wanted: Sequence[str]) -> None:
    """See that a file has the columns that are asked for.

    Raises:
        InvalidInput: It has not.
    """
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise refuse(path, f"has no column {listed(missing)}; it has {listed(columns)}.")


def refuse(path: Path, message: str, place: str = "") -> InvalidInput:
    """Say what is wrong with a file, or with a place in it."""
    return InvalidInput(Problem(f"{path}, {place}" if place else str(path), message))


def listed(names: Sequence[str]) -> str:
    """Write names one after another."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(map(repr, names[:NAMES_SHOWN])) + more


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Say why a file cannot be read."""
    try:
        yield
    except OSError as error:
        raise refuse(path, f"cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise refuse(path, "is not UTF-8. Save it as CSV in UTF-8.") from error
    except csv.Error as error:
        raise refuse(path, f"is not CSV ({error}).") from error


def _why_not_number(cell: str, empty: str) -> str | None:
    """Say what is wrong with a cell, if anything; Python's 1_000 and digits of other scripts are no numbers here."""
    try:
        value = float(cell)
    except ValueError:
        return empty if not cell.strip() else f"is not a number: {cell[:40]!r}."
    if "_" in cell or not cell.strip().isascii():
        return f"is not a number: {cell[:40]!r}."
    if not math.isfinite(value):
        return f"is not a finite number: {cell.strip()[:40]!r}. Fill it in, or leave the row out."
    return None
