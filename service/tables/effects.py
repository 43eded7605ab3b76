"""What each column of a table adds to predictions: one effect, or one for each part of a time."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from service.explaining.effects import VALUES_LIMIT, effects_of_groups
from service.explaining.readout import check_readout, fit_of_context
from service.inference.predictor import Observations
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.tables.cells import Cells, Chunk
from service.tables.encoding import EncodedRows, Findings, queries
from service.tables.schema import (
    MISSING_LEVEL,
    OTHER_LEVEL,
    PART_COLUMNS,
    ColumnSchema,
    Kind,
    Part,
    TableSchema,
)
from service.tables.summary import DAY

HOUR = DAY // 24
MONDAY = 4 * DAY
"""The first one after 1970 began, in microseconds."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = 12


class ColumnEffect(NamedTuple):
    """The effect of a column on predictions, in units of the target; its mean over the context is 0."""

    column: str
    kind: Kind
    part: Part | None
    """Of a time."""
    strength: float
    """Its standard deviation over the context."""
    values: tuple[float | str, ...]
    """Numbers, levels, yes and no, or times (G,)."""
    effect: Array
    """(G,)"""
    lower: Array | None
    """The effect lies between `lower` and `upper` with the requested probability; NaN after a single observation."""
    upper: Array | None
    missing: float | None
    """The effect of a missing cell of a number or a time, if the context has any."""


class _Place(NamedTuple):
    """A column, or a part of a time, with cells at which to compute its effect; the last one is missing."""

    column: ColumnSchema
    part: Part | None
    values: tuple[float | str, ...]
    cells: Cells


def column_effects(
    schema: TableSchema, rows: EncodedRows, runtime: Runtime, level: float | None = None
) -> list[ColumnEffect]:
    """Compute the effect of each column that is used, at its values.

    Args:
        schema: Of the table.
        rows: Of the context.
        runtime: The model.
        level: The probability of the interval of each effect, or None.

    Raises:
        UnsupportedByModel: The model has no effects of columns.
    """
    manifest = runtime.manifest
    check_readout(manifest, "effects of columns")
    levels = schema.levels_for(manifest.column_kinds)
    fit = fit_of_context(runtime, Observations(rows.x, rows.y, rows.weight, levels))
    places = list(_places(schema, rows.x))
    groups, numbers = np.empty(len(schema.x_columns), int), {place[:2]: i for i, place in enumerate(places)}
    for at, of in enumerate(_owners(schema)):
        groups[at] = numbers[of]
    found = effects_of_groups(fit, groups, [_encoded(schema, place) for place in places], level)
    gaps = {int(group) for group in groups[np.isnan(rows.x).any(0)]}
    effects = list[ColumnEffect]()
    for number, (place, effect) in enumerate(zip(places, found, strict=True)):
        ends = [None if bound is None else bound[:-1] for bound in (effect.lower, effect.upper)]
        missing = float(effect.effect[-1]) if number in gaps else None
        column = place.column
        own = (column.name, column.kind, place.part, float(effect.strength), place.values)
        effects.append(ColumnEffect(*own, effect.effect[:-1], ends[0], ends[1], missing))
    return effects


def _owners(schema: TableSchema) -> Iterator[tuple[ColumnSchema, Part | None]]:
    """Return the column of the table, and the part of a time, of each column of x."""
    for column in schema.features:
        if column.kind == "time":
            yield from ((column, part) for part in column.parts for _ in PART_COLUMNS[part])
        else:
            yield from ((column, None) for _ in column.columns())
    columns = {column.name: column for column in schema.features}
    yield from ((columns[name], None) for name, _ in schema.later)


def _places(schema: TableSchema, x: Array) -> Iterator[_Place]:
    at = 0
    for column in schema.features:
        own = x[:, at : at + len(column.columns())]
        at += own.shape[1]
        if column.kind == "time":
            elapsed = own[:, column.columns().index(f"{column.name}:days")] if "elapsed" in column.parts else own[:, 0]
            yield from (_of_time(column, part, elapsed) for part in column.parts)
        elif column.kind == "category":
            levels = (*column.all_levels(), *(level for name, level in schema.later if name == column.name))
            codes = [-1 if level == MISSING_LEVEL else i for i, level in enumerate(levels)]
            texts = tuple(level if level != OTHER_LEVEL else "\0" for level in levels)  # no cell has this text
            yield _Place(column, None, levels, Cells("text", np.array([*codes, -1], np.int32), texts))
        elif column.kind == "yes_no":
            yield _Place(column, None, ("no", "yes"), Cells("boolean", np.array([0.0, 1.0, np.nan])))
        else:
            grid = _grid(own[:, 0])
            yield _Place(column, None, tuple(grid.tolist()), Cells("number", np.append(grid, np.nan)))


def _of_time(column: ColumnSchema, part: Part, elapsed: Array) -> _Place:
    """Choose times at which to compute the effect of a part of a time."""
    if part == "elapsed":
        times = (column.start + _grid(elapsed) * DAY).astype(np.int64)
        stamps = times.astype("datetime64[us]")
        values = tuple(str(stamp.astype("datetime64[s]")).removesuffix("T00:00:00") for stamp in stamps)
    elif part == "time_of_day":
        times, values = np.arange(25) * HOUR, tuple(f"{hour:02}:00" for hour in range(25))
    elif part == "day_of_week":
        times, values = MONDAY + np.arange(7) * DAY, WEEKDAYS
    else:
        starts = np.array([f"1970-{month + 1:02}-01" for month in range(MONTHS)], "datetime64[us]")
        times = starts.astype(np.int64)
        values = tuple(str(start)[5:10] for start in starts)
    cells = np.append(times.astype("datetime64[us]"), np.datetime64("NaT"))
    return _Place(column, part, values, Cells("time", cells))


def _grid(values: Array) -> Array:
    """Return the different values; if there are too many, equal steps from the smallest to the largest."""
    found = np.unique(values[~np.isnan(values)])
    return found if len(found) <= VALUES_LIMIT else np.linspace(found[0], found[-1], VALUES_LIMIT)


def _encoded(schema: TableSchema, place: _Place) -> Array:
    """Encode rows of one column; all others are missing."""
    count = len(place.cells.values)
    empty = Cells("number", np.full(count, np.nan))
    cells = {column.name: place.cells if column is place.column else empty for column in schema.features}
    return queries(schema, Chunk(0, count, cells), Findings())
