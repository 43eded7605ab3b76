"""One plain sentence on what becomes of each column of a table."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from service.errors import InvalidInput
from service.tables.cells import Table, text_of
from service.tables.inferring import REASONS, decide, decide_columns
from service.tables.predicting import summaries_of
from service.tables.requested import Requested
from service.tables.schema import ColumnSchema, Part, TableSchema
from service.tables.summary import ColumnSummary
from service.tables.text import EPOCH

SHOWN_LEVELS = 10
SHOWN_EXAMPLES = 3

PARTS: dict[Part, str] = {
    "time_of_day": "the time of day",
    "day_of_week": "the day of the week",
    "day_of_year": "the day of the year",
}


class Described(NamedTuple):
    """A column, and what becomes of it."""

    name: str
    kind: str
    """Of the schema; `target` and `weight` are the columns of that use."""
    description: str


class Inspected(NamedTuple):
    """A column that was looked at."""

    name: str
    kind: str
    description: str
    missing: int
    """Cells without a value, of the rows that have a target."""
    different: int | None
    """Different values; None if there are more than are counted."""
    examples: tuple[str, ...]
    """Of different cells: the first texts, or the lowest and the highest number or time."""


class Inspection(NamedTuple):
    """What will be done to each column of a table."""

    columns: tuple[Inspected, ...]
    schema: TableSchema | None
    """None without a target."""
    rows: int
    """Rows of the table, of those that have a target if one is named."""


def inspect_table(table: Table, requested: Requested) -> Inspection:
    """Read a table once, and say what will be done to each column.

    Raises:
        InvalidInput: See `infer_schema`.
    """
    summaries = summaries_of(table, requested)
    schema = None
    if requested.target is None:
        columns, problems = decide_columns(summaries, requested, table.place)
        if problems:
            raise InvalidInput(*problems)
        described = [describe(column) for column in columns]
    else:
        schema = decide(summaries, requested, table.place)
        described = describe_columns(schema)
    found = tuple(_inspected(column, summaries[column.name]) for column in described)
    return Inspection(found, schema, next(iter(summaries.values())).rows if summaries else 0)


def describe_columns(schema: TableSchema, weight: str | None = None) -> list[Described]:
    """Describe the columns of a table, the target and the weight last."""
    later = {column.name: [level for name, level in schema.later if name == column.name] for column in schema.columns}
    found = [describe(column, later[column.name]) for column in schema.columns]
    found.append(Described(schema.target.name, "target", _target(schema.target)))
    return [*found, *([] if weight is None else [Described(weight, "weight", "how much each row counts")])]


def describe(column: ColumnSchema, later: Sequence[str] = ()) -> Described:
    """Describe one column; `later` are the levels that appeared after the first rows."""
    if column.kind == "left_out":
        text = f"left out: {REASONS[column.reason] or 'as requested'}"
    elif column.kind == "category":
        text = _category(column, later)
    elif column.kind == "time":
        text = _time(column)
    else:
        text = "yes or no, as 1 or 0" if column.kind == "yes_no" else _number(column)
    return Described(column.name, column.kind, text)


def _number(column: ColumnSchema) -> str:
    return "number, with a decimal comma" if column.decimal == "," else "number"


def _category(column: ColumnSchema, later: Sequence[str]) -> str:
    count, levels = len(column.levels), _listed((*column.levels, *later))
    if column.other:
        text = f"category of the {count} most frequent levels: {levels}; all others count as one level"
    else:
        more = f" and {len(later)} later ones" if later else ""
        text = f"category of {count} {'level' if count == 1 else 'levels'}{more}: {levels}; other levels count as none"
    return f"{text}; a missing cell is a level too" if column.missing else text


def _time(column: ColumnSchema) -> str:
    if column.date_format == "time":
        return "time of day"
    parts = [PARTS[part] for part in column.parts if part != "elapsed"]
    more = f", with {', '.join(parts)}" if parts else ""
    return f"time in days since {_written(column.start)}{more}"


def _target(target: ColumnSchema) -> str:
    if target.kind == "number":
        return f"predicted: {_number(target)}"
    return f"predicted: one of {len(target.levels)} classes: {_listed(target.levels)}"


def _listed(levels: Sequence[str]) -> str:
    """Join levels; of many the first."""
    more = f" and {len(levels) - SHOWN_LEVELS} more" if len(levels) > SHOWN_LEVELS else ""
    return ", ".join(level if len(level) <= 40 else f"{level[:40]}…" for level in levels[:SHOWN_LEVELS]) + more


def _written(microseconds: float) -> str:
    """Write a time; the date alone at midnight."""
    try:
        time = EPOCH + timedelta(microseconds=int(microseconds))
    except OverflowError:
        return f"{microseconds:g} microseconds after 1970-01-01"
    return time.isoformat(" ")[:19].removesuffix(" 00:00:00")


def _inspected(column: Described, summary: ColumnSummary) -> Inspected:
    known = not (summary.more_texts or summary.more_numbers)
    different = len(summary.texts) + len(summary.numbers) if known else None
    return Inspected(*column, missing=summary.missing, different=different, examples=_examples(summary))


def _examples(summary: ColumnSummary) -> tuple[str, ...]:
    if summary.texts:
        texts = list(summary.texts)[:SHOWN_EXAMPLES]
        return tuple(text if len(text) <= 60 else f"{text[:60]}…" for text in texts)
    if summary.kinds == {"time"}:
        return tuple(dict.fromkeys(map(_written, (summary.lowest, summary.highest))))
    if summary.kinds == {"boolean"}:
        return tuple(text_of(bool(value)) or "" for value in sorted(summary.numbers))
    ends = (summary.lowest, summary.highest) if summary.present else ()
    return tuple(dict.fromkeys(text_of(value) or "" for value in ends))
