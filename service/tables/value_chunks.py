"""Rows of Python values as cells, for spreadsheets and JSON lines."""

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta

import numpy as np
import pyarrow as pa

from service.tables.cells import Cells, Chunk, as_text, cells_of, text_of
from service.tables.sources import refuse

ROWS = 2**14
"""Rows of a chunk, at most."""


def chunk_of(
    start: int,
    columns: Mapping[str, Sequence[object]],
    wanted: Collection[str],
    *,
    text: Collection[str],
    whole: bool,
    missing: Set[str],
    name: str,
) -> Chunk:
    """Make a chunk.

    Args:
        start: The number of its first row.
        columns: Values (N,) by column: numbers, booleans, texts, times, or None where missing.
        wanted: The columns to read.
        text: Those of them to read as text.
        whole: Whether to add all columns of the source.
        missing: Texts that mean that a cell is missing.
        name: Of the table, in messages.

    Raises:
        InvalidInput: A value is of another type.
    """
    found = {}
    for column in wanted:
        cells = cells_of_values(columns[column], missing)
        if cells is None:
            bad = next(value for value in columns[column] if isinstance(value, list | dict | int))
            what = "a list" if isinstance(bad, list) else "an object" if isinstance(bad, dict) else "a too large number"
            raise refuse(name, f"has {what} in a cell. Send numbers, texts, booleans or null.", f"column {column!r}")
        found[column] = as_text(cells) if column in text else cells
    rows = len(next(iter(columns.values())))
    batch = pa.record_batch({key: _in_arrow(values) for key, values in columns.items()}) if whole else None
    return Chunk(start, rows, found, batch)


def cells_of_values(values: Sequence[object], missing: Set[str]) -> Cells | None:
    """Make the cells of Python values (N,): numbers, booleans, times or text; None if a value is none of them."""
    values = [None if isinstance(value, str) and value.strip() in missing else value for value in values]
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {date, datetime}:
        return Cells("time", np.array([np.datetime64("NaT") if item is None else item for item in values], "M8[us]"))
    if kinds == {timedelta}:
        return cells_of([item.total_seconds() if isinstance(item, timedelta) else None for item in values], missing)
    return cells_of([_plain(value) for value in values], missing)


def _plain(value: object) -> object:
    """Write a time as text."""
    if isinstance(value, datetime | date):
        return str(value).removesuffix(" 00:00:00")
    if isinstance(value, time):
        return value.isoformat("seconds")
    return str(value) if isinstance(value, timedelta) else value


def _in_arrow(values: Sequence[object]) -> pa.Array:
    try:
        return pa.array(values, from_pandas=False)
    except (pa.ArrowException, OverflowError):
        return pa.array([text_of(_plain(value)) for value in values])
