"""One CSV file with a header, refusing bad cells by file, line and column."""

import csv
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self, TextIO

import numpy as np

from service.errors import InvalidInput, Problem
from service.shapes import Array

SHOWN = 3
"""Of a column of bad cells the first few are enough."""


@dataclass(frozen=True)
class Table:
    """The cells of a file as text; only the columns that are asked for have to be numbers."""

    path: Path
    columns: list[str]
    rows: list[list[str]]
    lines: list[int]
    """The line of the file on which each row begins."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file: commas, UTF-8, a header, quotes where needed.

        Raises:
            InvalidInput: It cannot be read, or is not a table with a header and rows.
        """
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                records = list(_records(file))
        except OSError as error:
            raise _refuse(path, f"cannot be read ({error.strerror}).") from error
        except UnicodeDecodeError as error:
            raise _refuse(path, "is not UTF-8. Save it as CSV in UTF-8.") from error
        except csv.Error as error:
            raise _refuse(path, f"is not CSV ({error}).") from error
        while records and not records[-1][1]:
            records.pop()
        if not records:
            raise _refuse(path, "is empty. It needs a header and at least one row.")
        (_, header), *body = records
        columns = [name.strip() for name in header]
        _check(path, columns, body)
        return cls(path, columns, [row for _, row in body], [line for line, _ in body])

    def numbers(self, columns: Sequence[str]) -> Array:
        """Turn some columns into numbers; returns (rows, len(columns)).

        Raises:
            InvalidInput: A cell of them is not a finite number, or a column is not there.
        """
        missing = [name for name in columns if name not in self.columns]
        if missing:
            raise _refuse(self.path, f"has no column {_listed(missing)}; it has {_listed(self.columns)}.")
        places = [self.columns.index(name) for name in columns]
        problems = tuple(islice(self._bad_cells(places), SHOWN))
        if problems:
            raise InvalidInput(*problems)
        return np.array([[float(row[place]) for place in places] for row in self.rows])

    def _bad_cells(self, places: list[int]) -> Iterator[Problem]:
        for line, row in zip(self.lines, self.rows, strict=True):
            for place in places:
                reason = _why_not_number(row[place])
                if reason:
                    yield Problem(f"{self.path}, line {line}, column {self.columns[place]!r}", reason)


def _records(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Split a file into rows of text, each with the line on which it begins."""
    reader = csv.reader(file, strict=True, skipinitialspace=True)
    line = 1
    for record in reader:
        yield line, record
        line = reader.line_num + 1


def _check(path: Path, columns: list[str], body: list[tuple[int, list[str]]]) -> None:
    if "" in columns:
        raise _refuse(path, f"has no name for column {columns.index('') + 1}. Name it in the header, or leave it out.")
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise _refuse(path, f"has more than one column {_listed(twice)}. Give each column its own name.")
    if not body:
        raise _refuse(path, "has a header and no rows. It needs at least one.")
    for line, row in body:
        if len(row) != len(columns):
            raise _refuse(path, f"has {len(row)} cells; the header has {len(columns)}.", line)


def _why_not_number(cell: str) -> str | None:
    """Say what is wrong with a cell, if anything; Python's 1_000 is no number in a table."""
    try:
        value = float(cell)
    except ValueError:
        return "is empty. Fill it in, or leave the row out." if not cell.strip() else f"is not a number: {cell[:40]!r}."
    if "_" in cell:
        return f"is not a number: {cell[:40]!r}."
    if not math.isfinite(value):
        return f"is not a finite number: {cell.strip()[:40]!r}. Fill it in, or leave the row out."
    return None


def _refuse(path: Path, message: str, line: int | None = None) -> InvalidInput:
    return InvalidInput(Problem(f"{path}, line {line}" if line else str(path), message))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
