"""How a text is a table: its separator, its quotes, and the lines before its header."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from operator import itemgetter

from service.tables.header import (
    ROWS,
    TITLE_LINES,
    count_titles,
    has_header,
    is_number,
    name_columns,
    usual_width,
)
from service.tables.memory import COLUMNS_LIMIT
from service.tables.text import MISSING, PLAIN, Decimal, clean, decimal_sign

ROW_LENGTH_LIMIT = 2**23
"""Characters of one row; an endless file may be one endless line."""
SAMPLE = 2**16
"""Characters by which a dialect is recognised."""
SEPARATORS = ("\t", ";", "|", ",")
"""The later one is taken if a text is a table by several."""
WHITE_SPACE = " "
"""The separator of columns that are aligned by runs of spaces."""
COMMENT = ("#", "%")
FRAME, DASHES = " \t\r\n|+:=_-", ("---", "===", "___")
"""Characters of a line that only separates rows, as programs print tables, and runs that it holds."""
COUNTED = re.compile(r"\(\d{1,12} rows?\)\s*")
"""The last line of a table as PostgreSQL prints it."""

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
SINGLE_QUOTED = re.compile(r"(?:^|[,;\t|])'(?:[^'\r\n]|'')*'(?=[,;\t|\r\n]|$)", re.MULTILINE)
BACKSLASH = re.compile(r'\\"[^,;\t|\r\n]')
SPACE_AND_QUOTE = re.compile(r'[,;|] +"')


class TooWide(csv.Error):
    """A row has more cells than a table has columns."""

    def __init__(self, cells: int) -> None:
        super().__init__(f"a row of {cells} cells; at most {COLUMNS_LIMIT} columns are read")


def check_cells(count: int) -> None:
    """Check the number of cells of a row.

    Raises:
        TooWide: There are too many.
    """
    if count > COLUMNS_LIMIT:
        raise TooWide(count)


@dataclass(frozen=True)
class Dialect:
    """How a text is a table."""

    separator: str
    quote: str = '"'
    escape: str | None = None
    """The character before a quote in a quoted cell, if quotes are not doubled."""
    space_before_quote: bool = False
    """Whether a quoted cell may begin with spaces."""
    framed: bool = False
    """Whether lines of dashes are between rows, and bars around them."""
    comments: bool = False
    """Whether comments are between rows."""
    header: tuple[str, ...] = ()
    """The first row, if further rows that are equal to it are left out: files were joined."""
    lines: int = 0
    """Lines before the first row."""
    names: tuple[str, ...] = ()
    """Of all columns, each once."""
    hidden: frozenset[str] = frozenset()
    """Names of columns that only the separators at the ends of lines make."""
    decimals: frozenset[str] = frozenset()
    """Names of columns whose first cells are numbers with a decimal point; empty for a text that is short."""
    commas: bool = False
    """Whether more columns need a decimal comma than a decimal point."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """How the text differs from a plain table, for people."""

    @property
    def rows_need_repair(self) -> bool:
        """Whether the lines are more than rows of cells between separators."""
        return self.separator == WHITE_SPACE or bool(
            self.space_before_quote or self.framed or self.comments or self.header
        )

    def without_frame(self, line: str) -> str:
        """Return a line without bars at its ends; empty if it is no row."""
        if self.comments and line.startswith("#"):
            return ""
        if not self.framed:
            return line
        return (
            ""
            if _is_frame(line) or COUNTED.fullmatch(line)
            else line.strip().removeprefix("|").removesuffix("|") + "\n"
        )

    def check_width(self, line: str) -> None:
        """Check the number of cells of a row by its first line, where that is possible without splitting it.

        Raises:
            TooWide: There are too many.
        """
        marks = line.count(self.separator)
        if marks >= COLUMNS_LIMIT and self.separator != WHITE_SPACE and not self.escape and self.quote not in line:
            check_cells(marks + 1)

    def cells(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Split lines into rows."""
        aligned = self.separator == WHITE_SPACE
        yield from csv.reader(
            (" ".join(line.split()) for line in lines) if aligned else lines,
            delimiter=self.separator,
            quotechar=self.quote,
            escapechar=self.escape,
            skipinitialspace=self.space_before_quote,
        )


def rows_of(dialect: Dialect, lines: Iterable[str]) -> Iterator[tuple[int, int, list[str]]]:
    """Split lines into rows that are not empty.

    Yields:
        The numbers of the first line of a row and of the line after it, from 0, and the cells.

    Raises:
        csv.Error: A quote is not closed, or a row is too long.
        TooWide: A row has too many cells.
    """
    read, end, size = 0, False, 0

    def counted() -> Iterator[str]:
        nonlocal read, end, size
        for line in lines:
            read += 1
            if not size:
                dialect.check_width(line)
            size += len(line)
            if size > ROW_LENGTH_LIMIT:
                raise csv.Error(f"a row of more than {ROW_LENGTH_LIMIT} characters")
            yield dialect.without_frame(line)
        end = True

    start = 0
    for row in dialect.cells(counted()):
        check_cells(len(row))
        if end:
            raise csv.Error("its last quoted cell has no end")
        if row == list(dialect.header):
            pass
        elif len(row) > 1 or (row and (row[0].strip() or (len(dialect.names) == 1 and row[0]))):
            yield start, read, row
        start, size = read, 0


def recognise(
    sample: str, *, separator: str | None, header: bool | None, whole: bool, decimal: Decimal | None = None
) -> Dialect | None:
    """Recognise the dialect of a text by its beginning.

    Args:
        sample: Whole lines.
        separator: If it is known.
        header: Whether the first row has the names, if it is known.
        whole: Whether the sample is the whole text.
        decimal: The decimal sign, if it is known.

    Returns:
        None if the sample has no row.

    Raises:
        csv.Error: A row has more cells than a table has columns, or the whole text is no CSV.
    """
    lines = LINE.findall(sample)
    first, said, comments = _skip_comments(lines)
    body, notes = lines[first:], list[str]()
    dialect = _divided(sample, body, separator or said)
    rows = _sample_rows(dialect, body, whole=whole)
    if not rows:
        return None
    width = usual_width([row for *_, row in rows])
    if _has_comments(dialect, body, width):
        dialect = replace(dialect, comments=True)
        rows = _sample_rows(dialect, body, whole=whole)
        notes.append("comments between rows left out")
    titles = count_titles([row for *_, row in rows], width)
    if titles:
        quoted = " ".join(filter(None, rows[0][2]))[:60]
        notes.append(f"{titles} row{'s' * (titles > 1)} before the header left out, the first is {quoted!r}")
        rows = rows[titles:]
    cells = [row for *_, row in rows]
    if has_header(cells) if header is None else header:
        names, start = cells[0], rows[0][1]
        cells = [row for row in cells[1:] if row != names]
        if len(cells) < len(rows) - 1:
            dialect = replace(dialect, header=tuple(names))
            notes.append("rows that repeat the header left out")
    else:
        names, start = _names_in_comment(dialect, comments, width), rows[0][0]
        if not names:
            names = [f"column_{place + 1}" for place in range(width)]
            notes.append("no header, so the columns are column_1, column_2 …")
    names, hidden, more = name_columns(names, cells)
    commas = decimal == "," if decimal else _has_commas(cells)
    decimals = frozenset() if whole or commas else frozenset(_decimals(names, cells))
    return replace(
        dialect,
        lines=first + start,
        names=tuple(names),
        hidden=frozenset(hidden),
        decimals=decimals,
        commas=commas,
        notes=(*notes, *more),
    )


def _divided(sample: str, lines: Sequence[str], separator: str | None) -> Dialect:
    """Recognise quotes, and the separator if it is not known."""
    quote = "'" if '"' not in sample and len(SINGLE_QUOTED.findall(sample)) >= 2 else '"'
    plain = Dialect(
        ",",
        quote,
        "\\" if quote == '"' and BACKSLASH.search(sample) else None,
        space_before_quote=bool(SPACE_AND_QUOTE.search(sample)),
        framed=any(map(_is_frame, lines[:TITLE_LINES])),
    )
    dialect = replace(plain, separator=separator) if separator else _best(plain, lines)
    return replace(dialect, framed=dialect.framed and dialect.separator in {"|", WHITE_SPACE})


def _names_in_comment(dialect: Dialect, comments: Sequence[str], width: int) -> list[str]:
    """Return the names in the last comment before the rows; none unless it has one for each of several columns."""
    names = next(iter(dialect.cells([comments[-1].lstrip("#% \t")])), []) if comments else []
    return names if len(names) == width > 1 else []


def _decimals(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for place, name in enumerate(names):
        cells = [clean(row[place]) for row in rows if place < len(row)]
        there = [cell for cell in cells if cell not in MISSING]
        if any("." in cell for cell in there) and all(map(PLAIN.fullmatch, there)):
            yield name


def _has_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether more columns have numbers that need a decimal comma than numbers that need a point."""
    if not any("," in cell for row in rows for cell in row):
        return False
    votes = Counter[str]()
    for column in zip_longest(*rows, fillvalue=""):
        signs = Counter(decimal_sign(clean(cell)) for cell in column if "," in cell or "." in cell)
        if signs[","] != signs["."]:
            votes["," if signs[","] > signs["."] else "."] += 1
    return votes[","] > votes["."]


def _is_frame(line: str) -> bool:
    return not line.strip(FRAME) and any(dashes in line for dashes in DASHES)


def _has_comments(dialect: Dialect, lines: Sequence[str], width: int) -> bool:
    """Return whether a few lines are comments: they begin with # and have other cells than rows have."""
    found = [line for line in lines if line.startswith("#")]
    few = 0 < len(found) <= max(1, len(lines) // 5)
    return few and '"' not in "".join(found) and all(len(next(dialect.cells([line]))) != width for line in found)


def _skip_comments(lines: Sequence[str]) -> tuple[int, str | None, list[str]]:
    """Return the first line that is neither empty nor a comment, the separator that a line says, and the comments."""
    separator, comments = None, []
    for place, line in enumerate(lines):
        if found := re.fullmatch(r"\"?sep=(.)\"?", line.strip("\r\n")):
            separator = found[1]
        elif line.startswith(COMMENT):
            comments.append(line.strip("\r\n"))
        elif line.strip():
            return place, separator, comments
    return len(lines), separator, comments


def _sample_rows(dialect: Dialect, lines: Sequence[str], *, whole: bool) -> list[tuple[int, int, list[str]]]:
    rows = []
    try:
        for row in rows_of(dialect, lines):
            rows.append(row)
            if len(rows) == ROWS + TITLE_LINES:
                return rows
    except csv.Error as error:
        if whole or isinstance(error, TooWide):
            raise
    return rows if whole or len(rows) < 3 else rows[:-1]


def _best(plain: Dialect, lines: Sequence[str]) -> Dialect:
    """Choose the separator by which most rows have the same number of cells."""
    found: list[tuple[tuple[bool, bool, float], Dialect]] = []
    wide: TooWide | None = None
    for separator in SEPARATORS:
        dialect = replace(plain, separator=separator)
        try:
            rows = [row for *_, row in _sample_rows(dialect, lines, whole=False)]
        except TooWide as error:
            wide = error
            continue
        except csv.Error:
            continue
        if rows and (width := usual_width(rows)) > 1:
            titles = count_titles(rows, width)
            same = sum(_trimmed(row) <= width <= len(row) for row in rows[titles:]) / len(rows[titles:])
            divided = any(cell.count(plain.quote) % 2 for row in rows for cell in row)  # a separator within quotes
            found.append(((not divided, titles == 0 or same < 0.9, round(same, 2)), dialect))
    if wide and not found:
        raise wide.with_traceback(None)
    (_, plain_start, same), best = max(found, key=itemgetter(0), default=((False, False, 0.0), plain))
    if same < 0.9 or not plain_start:
        aligned = replace(plain, separator=WHITE_SPACE)
        spaced = all("  " in line.strip() for line in lines[:ROWS] if line.strip())
        with suppress(TooWide):
            if _aligned([row for *_, row in _sample_rows(aligned, lines, whole=False)], spaced=spaced):
                return aligned
    return best


def _aligned(rows: Sequence[Sequence[str]], *, spaced: bool) -> bool:
    """Return whether rows split at spaces are a table: all of one width, and half of the cells numbers.

    If cells are spaced by two spaces or more, a column of numbers is enough.
    """
    if len(rows) < 2 or len({len(row) for row in rows[1:]}) > 1 or len(rows[1]) < 2:
        return False
    if len(rows[0]) not in {len(rows[1]), len(rows[1]) - 1}:
        return False
    numbers = [sum(is_number(cell) or cell in MISSING for cell in column) for column in zip(*rows[1:], strict=True)]
    return sum(numbers) >= len(rows[1:]) * len(numbers) / 2 or (spaced and max(numbers) == len(rows[1:]))


def _trimmed(row: Sequence[str]) -> int:
    """The number of cells without empty ones at the end."""
    return max((place + 1 for place, cell in enumerate(row) if cell.strip()), default=0)
