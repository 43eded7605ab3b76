"""Decides what becomes of each column of a table, by the summaries of its context and by what a caller says."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np

from service.errors import InvalidInput, Problem
from service.tables.cells import Cells
from service.tables.requested import Requested
from service.tables.schema import (
    ALL_LEVELS_LIMIT,
    LEVELS_LIMIT,
    TEXT_LENGTH_LIMIT,
    WORDS_OF_KIND,
    ColumnSchema,
    Kind,
    Part,
    Reason,
    TableSchema,
)
from service.tables.summary import DAY, ColumnSummary
from service.tables.text import (
    CODE,
    DATE_FORMATS,
    PLAIN,
    Decimal,
    date_formats,
    decimal_sign,
    microseconds,
    number_of,
    yes_or_no,
)

CLASSES_LIMIT = 50
"""Classes of a target."""
READABLE = 0.9
"""A column is one of numbers, or of times, if this part of its cells is; the others are missing."""
REPEATED = 0.5
"""A category has at least this part of its cells with a text that occurs again."""
WORDS = 3
"""Words of a cell, on average, from which on a column of different texts is free text."""
READABLE_ON_REQUEST = 0.5
"""The same for a column whose kind the caller says."""
SIGN_TEXTS = 1000
"""Texts by which the decimal sign of a column, and whether it has times, are recognised."""
FEW = 3
"""Rows below which different values say nothing."""
COARSE = {"year-month", "month-year", "name-year", "year-name", "year-quarter", "quarter-year", "year-week"}
"""Formats without a day."""
WEEKS, YEARS = 21 * DAY, 730 * DAY
"""Spans of times from which on days of the week, and of the year, are parts of a time."""

DIGITS, EARLIEST, LATEST = "digits", 18_000_101, 21_991_231
"""The format of dates that are integers, and their range."""
IDENTIFIER = re.compile(
    r"(?:.*[ _.\-/])?(?:id|uuid|guid|uid|identifier|rownames?|rowid)|unnamed: \d+|.*[a-z0-9](?:Id|ID)", re.ASCII
)
"""Names of columns that are identifiers if all their integers differ."""
COUNTER = re.compile(
    r"(?:.*[ _.\-/])?(?:no|nr|num|number|index|idx|key|row|rn|obs|observation|case|record|sample|serial|seq|sl|sr|line|"
    r"entry|n°|#)\.?|.*[a-z0-9](?:No|Nr|Key|Idx|Index)"
)
"""Names of columns that are identifiers if their integers rise by one or little more."""


Place = Callable[[int], str]
"""Says where a row is, by its number from 0."""


def row_number(row: int) -> str:
    """Say the number of a row from 1, where nothing more is known."""
    return f"row {row + 1}"


def decide(summaries: Mapping[str, ColumnSummary], requested: Requested, place: Place = row_number) -> TableSchema:
    """Decide what becomes of each column.

    Args:
        summaries: Of the features and the target, in the order of the columns.
        requested: What the caller says; there is a target.
        place: Says where a row is in the table.

    Raises:
        InvalidInput: The target cannot be predicted, a column is not what the caller says, or none is left; all
            problems at once.
    """
    name = requested.target or ""
    columns, problems = decide_columns(summaries, requested, place)
    try:
        target = _target(name, summaries[name], _table_decimal(summaries, requested), requested, place)
    except InvalidInput as error:
        raise InvalidInput(*problems, *error.problems) from None
    if problems:
        raise InvalidInput(*problems)
    if all(column.kind == "left_out" for column in columns):
        reasons = ", ".join(f"{column.name!r} ({REASONS[column.reason]})" for column in columns[:20])
        raise InvalidInput(Problem("", f"No column is left to predict from: {reasons or 'there is only the target'}."))
    return TableSchema(tuple(_within_budget(columns)), target)


def decide_columns(
    summaries: Mapping[str, ColumnSummary], requested: Requested, place: Place = row_number
) -> tuple[list[ColumnSchema], list[Problem]]:
    """Decide what becomes of each column except the target, and say which are not what the caller says."""
    decimal = _table_decimal(summaries, requested)
    columns, problems = list[ColumnSchema](), list[Problem]()
    for name, summary in summaries.items():
        if name != requested.target:
            left_out = _left_out(name, requested)
            try:
                columns.append(left_out or _column(name, summary, decimal, requested, place))
            except InvalidInput as error:
                problems += error.problems
    return columns, problems


def _table_decimal(summaries: Mapping[str, ColumnSummary], requested: Requested) -> Decimal:
    return requested.decimal or _decimal(summaries.values())


REASONS: dict[Reason, str] = {
    "": "",
    "requested": "as requested",
    "empty": "no cell has a value",
    "constant": "all cells are equal",
    "identifier": "looks like an identifier: it names rows",
    "free_text": "free text, nearly every cell is different",
    "key": "names the rows",
}


def _left_out(name: str, requested: Requested) -> ColumnSchema | None:
    if name in requested.keys:
        return ColumnSchema(name, "left_out", "key")
    if name in requested.ignore or requested.kinds.get(name) == "left_out":
        return ColumnSchema(name, "left_out", "requested")
    return None


def _decimal(summaries: Collection[ColumnSummary]) -> Decimal:
    """Return the decimal sign of a table: the one that more columns need."""
    votes = {".": 0, ",": 0}
    for summary in summaries:
        plain = "number" in summary.kinds and not summary.whole
        sign = "." if plain else _own_sign(summary)
        if sign:
            votes[sign] += 1
    return "," if votes[","] > votes["."] else "."


def _column(name: str, summary: ColumnSummary, decimal: Decimal, requested: Requested, place: Place) -> ColumnSchema:
    """Decide what becomes of a feature."""
    kind = requested.kinds.get(name)
    if kind is None:
        summary = _as_numbers(summary, decimal)
    if not summary.present:
        return ColumnSchema(name, "left_out", "empty")
    constant = len(summary.texts) + len(summary.numbers) == 1 and not summary.missing and summary.present > 1
    if kind is None and constant and not requested.keep_constant:
        return ColumnSchema(name, "left_out", "constant")
    if kind:
        return _requested(name, summary, decimal, kind, place)
    found = _inferred(name, summary, decimal)
    if found.kind != "left_out" and _names_rows(name, found, summary):
        return ColumnSchema(name, "left_out", "identifier")
    return found


def _as_numbers(summary: ColumnSummary, decimal: Decimal) -> ColumnSummary:
    """Return the summary of a column of plain numbers that are texts as the one that a CSV file has."""
    texts = [*summary.texts]
    if summary.kinds != {"text"} or not all(map(PLAIN.fullmatch, texts)) or _has_codes(summary):
        return summary
    values = np.array([float(text) for text in texts])
    pointed = any("." in text for text in texts)
    if not np.isfinite(values).all() or (pointed and _sign(summary, decimal) == ","):
        return summary
    found = ColumnSummary()
    found.add(Cells("number", values), 0)
    return replace(
        found,
        rows=summary.rows,
        missing=summary.missing,
        more_numbers=summary.more_texts,
        rises=found.rises and len(texts) == summary.present,
    )


def _inferred(name: str, summary: ColumnSummary, decimal: Decimal) -> ColumnSchema:
    if "text" not in summary.kinds:
        return _typed(name, summary)
    sign = _sign(summary, decimal)
    numbers = _readable(summary, lambda text: number_of(text, sign) is not None)
    if numbers >= READABLE and _one_unit(summary, decimal) and not _has_codes(summary):
        return ColumnSchema(name, "number", decimal=sign)
    if all(yes_or_no(text) is not None for text in summary.texts) and not summary.more_texts:
        return ColumnSchema(name, "yes_no")
    date_format = _date_format(summary)
    if date_format:
        return _time(name, summary, date_format)
    repeated = sum(count for count in summary.texts.values() if count > 1) / summary.present
    if (repeated >= REPEATED or summary.present < FEW) and not _has_long_texts(summary):
        return _category(name, summary)
    words = sum(len(text.split()) for text in summary.texts) / len(summary.texts)
    return ColumnSchema(name, "left_out", "free_text" if words >= WORDS else "identifier")


def _typed(name: str, summary: ColumnSummary) -> ColumnSchema:
    """Decide about a column without text."""
    if summary.kinds == {"time"}:
        return _time(name, summary, "")
    if _are_dates(summary):
        return _time(name, summary, DIGITS)
    return ColumnSchema(name, "yes_no" if summary.kinds == {"boolean"} else "number")


def _are_dates(summary: ColumnSummary) -> bool:
    """Return whether all numbers are dates such as 20200131."""
    return may_be_dates(summary) and all(
        microseconds(str(int(number)), DIGITS) is not None for number in summary.numbers
    )


def may_be_dates(summary: ColumnSummary) -> bool:
    """Return whether all numbers are in the range of dates such as 20200131."""
    in_range = EARLIEST <= summary.lowest <= summary.highest <= LATEST
    return summary.kinds == {"number"} and summary.whole and in_range


def _requested(name: str, summary: ColumnSummary, decimal: Decimal, kind: Kind, place: Place) -> ColumnSchema:
    """Do what the caller says.

    Raises:
        InvalidInput: Most of the cells cannot be read so.
    """
    where = f"column {name!r}"
    if kind == "category":
        if _has_long_texts(summary):
            raise InvalidInput(Problem(where, f"has texts of more than {TEXT_LENGTH_LIMIT} characters: no category."))
        return _category(name, summary)
    if "text" not in summary.kinds:
        if (kind == "time") == (summary.kinds == {"time"}):
            return _time(name, summary, "") if kind == "time" else ColumnSchema(name, kind)
        raise InvalidInput(Problem(where, f"cannot be read as {WORDS_OF_KIND[kind]}."))
    sign, date_format = _sign(summary, decimal), _date_format(summary, READABLE_ON_REQUEST)
    reads: Callable[[str], object]
    if kind == "time":
        reads = partial(microseconds, date_format=date_format or next(iter(DATE_FORMATS)))
    elif kind == "yes_no":
        reads = yes_or_no
    else:
        reads = partial(number_of, decimal=sign)
    if _readable(summary, lambda text: reads(text) is not None) < READABLE_ON_REQUEST:
        example = next(text for text in summary.texts if reads(text) is None)
        what = f"cannot be read as {WORDS_OF_KIND[kind]}: {_shown(example, summary, place)} is none."
        raise InvalidInput(Problem(where, what))
    return _time(name, summary, date_format) if kind == "time" else ColumnSchema(name, kind, decimal=sign)


def _shown(text: str, summary: ColumnSummary, place: Place) -> str:
    """Write a cell for a message, with its place."""
    return f"{text[:40]!r} ({place(summary.first_rows[text])})"


def _readable(summary: ColumnSummary, reads: Callable[[str], object]) -> float:
    """Return the part of the cells that can be read, of those whose texts are counted."""
    counted = summary.texts.total()
    return sum(count for text, count in summary.texts.items() if reads(text)) / counted if counted else 0.0


def _sign(summary: ColumnSummary, decimal: Decimal) -> Decimal:
    """Return the decimal sign of a column: its own, otherwise the table's."""
    return _own_sign(summary) or decimal


def _own_sign(summary: ColumnSummary) -> Decimal | None:
    """Return the decimal sign by which more of the texts can only be read; None if both are equal."""
    signs = Counter(map(decimal_sign, islice(summary.texts, SIGN_TEXTS)))
    return None if signs["."] == signs[","] else "." if signs["."] > signs[","] else ","


def _one_unit(summary: ColumnSummary, decimal: Decimal) -> bool:
    """Return whether all numbers have one unit, or none."""
    sign = _sign(summary, decimal)
    units = {found.unit for text in summary.texts if (found := number_of(text, sign)) is not None} - {""}
    return len(units) <= 1


def _has_codes(summary: ColumnSummary) -> bool:
    """Return whether a cell is a code, such as 007: then all are codes."""
    return any(map(CODE.fullmatch, summary.texts))


def _date_format(summary: ColumnSummary, part: float = READABLE) -> str:
    """Return the format by which most of the texts are times; empty if there is none."""
    counts = dict.fromkeys(DATE_FORMATS, 0)
    if not any(map(date_formats, islice(summary.texts, SIGN_TEXTS))):
        return ""
    for text, count in summary.texts.items():
        for name in date_formats(text):
            counts[name] += count
    best = max(counts, key=lambda name: counts[name])  # the first of equal ones
    if best == "day-month-year" and counts[best] == counts["month-day-year"] and _has_slashes(summary):
        best = "month-day-year"  # 1/2/2020: nothing decides
    return best if counts[best] >= part * summary.texts.total() > 0 else ""


def _has_slashes(summary: ColumnSummary) -> bool:
    return "/" in next(iter(summary.texts))


def _time(name: str, summary: ColumnSummary, date_format: str) -> ColumnSchema:
    """Choose the parts of a time: elapsed time, and cyclic parts that the span makes meaningful."""
    if date_format:
        texts = [*summary.texts, *(str(int(number)) for number in summary.numbers)]
        times = [found for text in texts if (found := microseconds(text, date_format)) is not None]
    else:
        times = [int(time) for time in (summary.lowest, summary.highest)]
    span, parts = max(times) - min(times), list[Part](["elapsed"])
    clock = summary.clock or any(time % DAY for time in times)
    if clock and (max(times) <= DAY if date_format == "time" else span >= 2 * DAY):
        parts.append("time_of_day")
    if span >= WEEKS and date_format not in COARSE:
        parts.append("day_of_week")
    if span >= YEARS:
        parts.append("day_of_year")
    return ColumnSchema(name, "time", date_format=date_format, start=min(times), parts=tuple(parts))


def _category(name: str, summary: ColumnSummary, limit: int = LEVELS_LIMIT) -> ColumnSchema:
    order = sorted(summary.texts, key=lambda text: (-summary.texts[text], text))
    other = len(order) > limit or summary.more_texts
    return ColumnSchema(name, "category", levels=tuple(order[:limit]), other=other, missing=summary.missing > 0)


def _has_long_texts(summary: ColumnSummary) -> bool:
    return any(len(text) > TEXT_LENGTH_LIMIT for text in summary.texts)


def _names_rows(name: str, column: ColumnSchema, summary: ColumnSummary) -> bool:
    """Return whether a column of integers numbers the rows."""
    if column.kind != "number" or summary.kinds != {"number"} or not summary.whole or summary.present < FEW:
        return False
    names = _forms(name)
    dense = summary.highest - summary.lowest < 2 * summary.present
    if summary.rises and dense and any(map(COUNTER.fullmatch, names)):
        return True
    differ = summary.more_numbers or len(summary.numbers) == summary.present
    return differ and any(map(IDENTIFIER.fullmatch, names))


def may_name_rows(name: str) -> bool:
    """Return whether a column of this name numbers the rows if its values fit."""
    return any(pattern.fullmatch(form) for pattern in (COUNTER, IDENTIFIER) for form in _forms(name))


def _forms(name: str) -> set[str]:
    return {name.strip(), name.strip().lower()}


def _target(name: str, summary: ColumnSummary, decimal: Decimal, requested: Requested, place: Place) -> ColumnSchema:
    """Decide whether numbers or classes are predicted.

    Raises:
        InvalidInput: Neither.
    """
    where = f"target {name!r}"
    if not summary.present:
        raise InvalidInput(Problem(where, "has no value in any row. Fill it in for the rows to learn from."))
    found = _inferred(name, summary, decimal)
    kind = requested.kinds.get(name)
    if requested.task == "classification" or kind in {"category", "yes_no"}:
        return _classes(where, name, summary, place)
    if requested.task == "regression" or kind == "number":
        return replace(_requested(name, summary, decimal, "number", place), missing=False)
    if found.kind == "number":
        return found
    if found.kind == "time":
        raise InvalidInput(Problem(where, "holds times. Predict a number, such as the days since a date."))
    return _classes(where, name, summary, place)


def _classes(where: str, name: str, summary: ColumnSummary, place: Place) -> ColumnSchema:
    texts = summary.texts
    if summary.kinds == {"boolean"}:
        return ColumnSchema(name, "category", levels=("false", "true"))
    if summary.more_texts or len(texts) > CLASSES_LIMIT:
        count = f"more than {len(texts)}" if summary.more_texts else str(len(texts))
        example = ", ".join(_shown(text, summary, place) for text in islice(texts, 3))
        raise InvalidInput(
            Problem(
                where,
                f"has {count} different texts, such as {example}. It must be numbers, or 2 to {CLASSES_LIMIT} classes.",
            )
        )
    if _has_long_texts(summary):
        raise InvalidInput(Problem(where, f"has texts of more than {TEXT_LENGTH_LIMIT} characters: no classes."))
    if len(texts) < 2:
        raise InvalidInput(
            Problem(where, f"is {next(iter(texts), '')[:40]!r} in every row. There is nothing to predict.")
        )
    return ColumnSchema(name, "category", levels=tuple(sorted(texts)))


def _within_budget(columns: Sequence[ColumnSchema]) -> Iterator[ColumnSchema]:
    """Keep fewer levels of each category where there are too many in all."""
    limit = LEVELS_LIMIT
    while limit > 2 and sum(min(len(column.levels), limit) for column in columns) > ALL_LEVELS_LIMIT:
        limit -= 1
    for column in columns:
        over = column.kind == "category" and len(column.levels) > limit
        yield replace(column, levels=column.levels[:limit], other=True) if over else column
