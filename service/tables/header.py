"""Where the rows of a table begin: titles before the header, whether there is a header, and the names of columns."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain, pairwise

from service.tables.text import DATES, LENGTH_LIMIT, MISSING, clean, number_of

ROWS = 200
"""Rows of the sample that are looked at."""
TITLE_LINES = 20
"""Lines before the header, at most."""
NOTES = 5
"""Notes on names, at most."""


def usual_width(rows: Sequence[Sequence[str]]) -> int:
    """The number of cells that most rows have."""
    counts = Counter(map(len, rows))
    return max(counts, key=lambda width: (counts[width], width))


def count_titles(rows: Sequence[Sequence[str]], width: int) -> int:
    """Count rows before the header: with text in one cell, or in at most half of the cells, of several columns."""
    full = next((place for place, row in enumerate(rows[:TITLE_LINES]) if 2 * len(_filled(row)) > width), 0)
    if width > 3 and full and not any(map(is_number, chain(*map(_filled, rows[:full])))) and has_header(rows[full:]):
        return full if len(rows) > full + 1 else 0  # such as pairs of a word and its meaning
    for count, row in enumerate(rows[:TITLE_LINES]):
        filled = _filled(row)
        alone = len(row) == 1 < width or not filled or (len(filled) == 1 and width > 2 and len(row) <= width)
        if not alone or (filled and is_number(filled[0])) or len(rows) < count + 2:
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


def is_number(cell: str) -> bool:
    """Return whether a cell is a number with either decimal sign."""
    return number_of(clean(cell)) is not None or number_of(clean(cell), ",") is not None


def _is_plain_number(cell: str) -> bool:
    return is_number(cell) and not re.search(r"[^\W\d_eE]", cell)


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
