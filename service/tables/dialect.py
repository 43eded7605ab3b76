"""How a text is a table: its separator, its quotes, its header and the lines before it."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
from operator import itemgetter

from service.tables.text import DATES, LENGTH_LIMIT, MISSING, PLAIN, clean, number_of

ROW_LENGTH_LIMIT = 2**23
"""Characters of one row; an endless file may be one endless line."""
SAMPLE = 2**16
"""Characters by which a dialect is recognised."""
SEPARATORS = ("\t", ";", "|", ",")
"""The later one is taken if a text is a table by several."""
WHITE_SPACE = " "
"""The separator of columns that are aligned by runs of spaces."""
ROWS = 200
"""Rows of the sample that are looked at."""
TITLE_LINES = 20
"""Lines before the header, at most."""
NOTES = 5
"""Notes on names, at most."""
COMMENT = ("#", "%")
FRAME, DASHES = " \t\r\n|+:=_-", ("---", "===", "___")
"""Characters of a line that only separates rows, as programs print tables, and runs that it holds."""
COUNTED = re.compile(r"\(\d{1,12} rows?\)\s*")
"""The last line of a table as PostgreSQL prints it."""

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
SINGLE_QUOTED = re.compile(r"(?:^|[,;\t|])'(?:[^'\r\n]|'')*'(?=[,;\t|\r\n]|$)", re.MULTILINE)
BACKSLASH = re.compile(r'\\"[^,;\t|\r\n]')
SPACE_AND_QUOTE = re.compile(r'[,;|] +"')


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
    """
    read, end, size = 0, False, 0

    def counted() -> Iterator[str]:
        nonlocal read, end, size
        for line in lines:
            read += 1
            size += len(line)
            if size > ROW_LENGTH_LIMIT:
                raise csv.Error(f"a row of more than {ROW_LENGTH_LIMIT} characters")
            yield dialect.without_frame(line)
        end = True

    start = 0
    for row in dialect.cells(counted()):
        if end:
            raise csv.Error("its last quoted cell has no end")
        if row == list(dialect.header):
            pass
        elif len(row) > 1 or (row and (row[0].strip() or (len(dialect.names) == 1 and row[0]))):
            yield start, read, row
        start, size = read, 0


def recognise(sample: str, *, separator: str | None, header: bool | None, whole: bool) -> Dialect | None:
    """Recognise the dialect of a text by its beginning.

    Args:
        sample: Whole lines.
        separator: If it is known.
        header: Whether the first row has the names, if it is known.
        whole: Whether the sample is the whole text.

    Returns:
        None if the sample has no row.
    """
    lines = LINE.findall(sample)
    first, said, comments = _skip_comments(lines)
    notes = []
    quote = "'" if '"' not in sample and len(SINGLE_QUOTED.findall(sample)) >= 2 else '"'
    plain = Dialect(
        ",",
        quote,
        "\\" if quote == '"' and BACKSLASH.search(sample) else None,
        space_before_quote=bool(SPACE_AND_QUOTE.search(sample)),
        framed=any(map(_is_frame, lines[first : first + TITLE_LINES])),
    )
    body = lines[first:]
    separator = separator or said
    dialect = replace(plain, separator=separator) if separator else _best(plain, body)
    dialect = replace(dialect, framed=dialect.framed and dialect.separator in {"|", WHITE_SPACE})
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
    if header is None:
        header = has_header(cells)
    if header:
        names, start = cells[0], rows[0][1]
        cells = [row for row in cells[1:] if row != names]
        if len(cells) < len(rows) - 1:
            dialect = replace(dialect, header=tuple(names))
            notes.append("rows that repeat the header left out")
    else:
        commented = comments and next(iter(dialect.cells([comments[-1].lstrip("#% \t")])), [])
        names, start = (commented or []) if commented and len(commented) == width > 1 else [], rows[0][0]
        if not names:
            names = [f"column_{place + 1}" for place in range(width)]
            notes.append("no header, so the columns are column_1, column_2 …")
    names, hidden, more = name_columns(names, cells)
    decimals = frozenset() if whole else frozenset(_decimals(names, cells))
    return replace(
        dialect,
        lines=first + start,
        names=tuple(names),
        hidden=frozenset(hidden),
        decimals=decimals,
        notes=(*notes, *more),
    )


def _decimals(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for place, name in enumerate(names):
        cells = [clean(row[place]) for row in rows if place < len(row)]
        there = [cell for cell in cells if cell not in MISSING]
        if any("." in cell for cell in there) and all(map(PLAIN.fullmatch, there)):
            yield name


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
    except csv.Error:
        if whole:
            raise
    return rows if whole or len(rows) < 3 else rows[:-1]


def _best(plain: Dialect, lines: Sequence[str]) -> Dialect:
    """Choose the separator by which most rows have the same number of cells."""
    found: list[tuple[tuple[bool, bool, float], Dialect]] = []
    for separator in SEPARATORS:
        dialect = replace(plain, separator=separator)
        try:
            rows = [row for *_, row in _sample_rows(dialect, lines, whole=False)]
        except csv.Error:
            continue
        if rows and (width := usual_width(rows)) > 1:
            titles = count_titles(rows, width)
            same = sum(_trimmed(row) <= width <= len(row) for row in rows[titles:]) / len(rows[titles:])
            divided = any(cell.count(plain.quote) % 2 for row in rows for cell in row)  # a separator within quotes
            found.append(((not divided, titles == 0 or same < 0.9, round(same, 2)), dialect))
    (_, plain_start, same), best = max(found, key=itemgetter(0), default=((False, False, 0.0), plain))
    if same < 0.9 or not plain_start:
        aligned = replace(plain, separator=WHITE_SPACE)
        spaced = all("  " in line.strip() for line in lines[:ROWS] if line.strip())
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
    numbers = [sum(_is_number(cell) or cell in MISSING for cell in column) for column in zip(*rows[1:], strict=True)]
    return sum(numbers) >= len(rows[1:]) * len(numbers) / 2 or (spaced and max(numbers) == len(rows[1:]))


def _trimmed(row: Sequence[str]) -> int:
    """The number of cells without empty ones at the end."""
    return max((place + 1 for place, cell in enumerate(row) if cell.strip()), default=0)


def usual_width(rows: Sequence[Sequence[str]]) -> int:
    """The number of cells that most rows have."""
    counts = Counter(map(len, rows))
    return max(counts, key=lambda width: (counts[width], width))


def count_titles(rows: Sequence[Sequence[str]], width: int) -> int:
    """Count rows before the header: with text in one cell, or in at most half of the cells, of several columns."""
    full = next((place for place, row in enumerate(rows[:TITLE_LINES]) if 2 * len(_filled(row)) > width), 0)
    if width > 3 and full and not any(map(_is_number, chain(*map(_filled, rows[:full])))) and has_header(rows[full:]):
        return full if len(rows) > full + 1 else 0  # such as pairs of a word and its meaning
    for count, row in enumerate(rows[:TITLE_LINES]):
        filled = _filled(row)
        alone = len(row) == 1 < width or not filled or (len(filled) == 1 and width > 2 and len(row) <= width)
        if not alone or (filled and _is_number(filled[0])) or len(rows) < count + 2:
            return count
    return 0


def _filled(row: Sequence[str]) -> list[str]:
    return [cell for cell in row if cell.strip()]


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row has the names of the columns.

    It has none if it looks as the others do: numbers in every column that has numbers below or, without such
    columns, texts that are found again below. Numbers that count or that are years can be names.
    """
    head, body = [clean(cell) for cell in rows[0]], rows[1 : ROWS + 1]
    if not body:
        return True
    if _counts(head):
        return True
    as_below, numbers, texts_again = [], [], []
    for place, cell in enumerate(head):
        below = [clean(row[place]) for row in body if place < len(row) and row != rows[0]]
        below = [other for other in below if other not in MISSING]
        kind = next((kind for kind in (_is_plain_number, _is_time) if below and all(map(kind, below))), None)
        if kind:
            as_below.append(kind(cell) or cell in MISSING)
            numbers.append(cell)
        elif below and cell not in MISSING:
            texts_again.append(cell in below or rows[0] in body)
    if as_below:
        return not all(as_below) or (bool(texts_again) and not any(texts_again) and _years(numbers))
    return not texts_again or not all(texts_again)


def _counts(head: Sequence[str]) -> bool:
    """Return whether names are 0, 1, 2 …, as pandas counts columns, perhaps after an empty one for the index."""
    numbers = list(head[1:] if head[0] == "" else head)
    return len(head) > 2 and numbers == [str(place) for place in range(len(numbers))]


def _years(names: Sequence[str]) -> bool:
    """Return whether numbers are years in a row, as names of columns."""
    years = [int(name) if re.fullmatch(r"[12]\d{3}", name) else 0 for name in names]
    steps = {after - before for before, after in pairwise(years)}
    return len(years) > 1 and 0 not in years and len(steps) == 1 and steps <= {1, 5, 10, -1}


def _is_number(cell: str) -> bool:
    return number_of(clean(cell)) is not None or number_of(clean(cell), ",") is not None


def _is_plain_number(cell: str) -> bool:
    return _is_number(cell) and not re.search(r"[^\W\d_eE]", cell)


def _is_time(cell: str) -> bool:
    return len(cell) <= LENGTH_LIMIT and any(date.fullmatch(cell) for date in DATES.values())


def name_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[str], list[str]]:
    """Give each column a name that no other has.

    Args:
        header: Unchanged; it may be shorter than the rows.
        rows: The first rows.

    Returns:
        The names; those of columns without name and cells at the end; the changes, for people.
    """
    names, notes = [clean(name) for name in header], []
    width = usual_width(rows) if rows else 0
    if sum(len(row) == width for row in rows) < 0.9 * len(rows):
        width = 0  # rows differ, and the header decides
    if len(names) + 1 == width and all(len(row) == width for row in rows) and any(clean(row[-1]) for row in rows):
        names.insert(0, "")  # R leaves out the name of the row names
    unnamed = any(clean(cell) for row in rows for cell in row[len(names) + 1 :])
    names += [""] * (0 if unnamed and header else width - len(names))  # several cells without a name: cells are cut
    hidden = []
    taken, used = Counter(names), set[str]()
    named = max((place for place, name in enumerate(header) if clean(name)), default=-1)
    for place, name in enumerate(names):
        column = [row[place] for row in rows if place < len(row)]
        if name == "":
            index = (
                place == 0
                and rows
                and [clean(cell) for cell in column]
                in ([str(start + count) for count in range(len(rows))] for start in (0, 1))
            )
            names[place] = _unused("Unnamed: 0" if index else f"column_{place + 1}", taken)
            empty_so_far = rows and not any(map(clean, column))
            if empty_so_far and place > named:
                hidden.append(names[place])
            else:
                hidden.clear()
                notes.append(f"column {place + 1} has no name, so it is {names[place]!r}")
        else:
            hidden.clear()
            if name in used:
                names[place] = _unused(f"{name}_2", taken)
                notes.append(f"column {place + 1} has the name {name!r} again, so it is {names[place]!r}")
        used.add(names[place])
    more = [f"and {len(notes) - NOTES} more"] if len(notes) > NOTES else []
    return names, hidden, notes[:NOTES] + more


def _unused(name: str, taken: Counter[str]) -> str:
    """Return a name that is not taken, with a number after it."""
    stem, number = (name[:-2], 2) if name.endswith("_2") else (name, 1)
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    taken[name] += 1
    return name
