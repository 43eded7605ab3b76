"""Contexts of tables: rows become observations and queries by the schema that is stored with the context."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.errors import InvalidInput, Problem
from service.inference.artifact import Manifest
from service.inference.checks import Limits, size_problems
from service.inference.predictor import Observations
from service.inference.sizes import Array
from service.states.context_state import ContextState
from service.tables.cells import Chunk, Table
from service.tables.encoding import (
    Finding,
    Findings,
    check_columns,
    observations,
    queries,
    with_later_levels,
    without_target,
)
from service.tables.predicting import PredictedRows
from service.tables.schema import TableSchema, listed, schema_from

if TYPE_CHECKING:
    from service.contexts.records import ContextRecord

SCHEMA_LENGTH_LIMIT = 2**20
"""Characters of a stored schema."""
SHOWN_COLUMNS = 20
"""Unknown columns that are named."""


@dataclass(frozen=True)
class TableRows:
    """Rows of a table to observe."""

    table: Table
    digest: str
    """Hash of the rows: an idempotent change is the same for the same rows."""
    weight: str | float | None = None
    """A column, or the weight of every row."""
    found: Findings = field(default_factory=Findings)
    """Gets the cells that are not as the schema has them."""


class PredictedTable(NamedTuple):
    """Predictions for rows of a table by a context."""

    rows: tuple[PredictedRows, ...]
    """With their keys."""
    record: "ContextRecord"
    model: Manifest
    schema: TableSchema
    found: Findings


def written(schema: TableSchema) -> str:
    """Write a schema for a context.

    Raises:
        InvalidInput: It is too long.
    """
    text = json.dumps(schema.as_json(), separators=(",", ":"))
    if len(text) > SCHEMA_LENGTH_LIMIT:
        problem = f"has {len(text)} characters as JSON; a context keeps at most {SCHEMA_LENGTH_LIMIT}. Ignore columns."
        raise InvalidInput(Problem("schema", problem))
    return text


@lru_cache(maxsize=64)
def parsed(text: str) -> TableSchema:
    """Read a schema that `written` wrote.

    Raises:
        InvalidInput: It is none.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput(Problem("schema", "is not valid JSON.")) from None
    return schema_from(value)


def schema_of(table_schema: str | None) -> TableSchema:
    """Return the schema of a context.

    Raises:
        InvalidInput: It has none.
    """
    if table_schema is None:
        text = "are for a context of tables; this one has observed arrays. Send x and y, or create another context."
        raise InvalidInput(Problem("rows", text))
    return parsed(table_schema)


def check_schema(state: ContextState, manifest: Manifest) -> None:
    """See that the schema of an imported state is one, and fits its columns.

    Raises:
        InvalidInput: It does not.
    """
    if state.table_schema is None:
        return
    schema = parsed(state.table_schema)
    if schema.task != manifest.task:
        raise InvalidInput(Problem("", f"The bytes have a table for {schema.task}; the model is for {manifest.task}."))
    if state.tensors is not None:
        found = (state.inputs, state.outputs, state.levels)
        if found != (len(schema.x_columns), max(1, len(schema.classes)), schema.levels_for(manifest.column_kinds)):
            raise InvalidInput(Problem("", "The bytes have a table of other columns than their state has."))


def merged_schema(older: str | None, newer: str | None) -> str | None:
    """Return the schema of two contexts that are merged: one may have later levels that the other has not seen.

    Raises:
        InvalidInput: They differ in something else.
    """
    if older == newer:
        return older
    if older is None or newer is None:
        which = "this context" if older is None else "the other"
        raise InvalidInput(Problem("context", f"does not fit: {which} has observed arrays, and not rows of tables."))
    one, other = parsed(older), parsed(newer)
    if replace(one, later=()) != replace(other, later=()):
        differ = [column.name for column in (*one.columns, one.target) if column not in {*other.columns, other.target}]
        more = f": {listed(differ, 5)}" if differ else ""
        text = (
            f"does not fit: its columns have another schema{more}. Create contexts that are to be merged with `like`."
        )
        raise InvalidInput(Problem("context", text))
    longer, shorter = (older, other) if len(one.later) >= len(other.later) else (newer, one)
    if parsed(longer).later[: len(shorter.later)] != shorter.later:
        text = "does not fit: the two contexts have seen later levels in different orders. Observe all in one context."
        raise InvalidInput(Problem("context", text))
    return longer


def add_unknown_columns(schema: TableSchema, table: Table, found: Findings, *used: str) -> None:
    """Add the columns of a table that its context does not know; they are not used."""
    known = {schema.target.name, *used, *(column.name for column in schema.columns)}
    for name in [name for name in table.columns if name not in known][:SHOWN_COLUMNS]:
        found.by_kind[name, "unknown_column"] = Finding(name, "unknown_column", 0, "", 0)


def encode_rows(
    schema: TableSchema, rows: TableRows, manifest: Manifest, limits: Limits
) -> tuple[Observations, TableSchema]:
    """Make observations of rows; new levels are added to the schema as far as the model supports levels.

    Raises:
        InvalidInput: A column is missing, no row has a target, or there are too many.
    """
    table, weight = rows.table, rows.weight if isinstance(rows.weight, str) else None
    columns = [*schema.feature_names, schema.target.name, *([weight] if weight else [])]
    check_columns(columns, table.columns, table.name)
    add_unknown_columns(schema, table, rows.found, *([weight] if weight else []))
    parts, count = list[tuple[Array, Array, Array | None]](), 0
    for chunk in table.chunks(columns, text=schema.text_columns):
        if "level" in manifest.column_kinds:
            schema = with_later_levels(schema, chunk)
        x, y, weights, _ = observations(schema, chunk, rows.found, weight, table.place)
        count += len(x)
        problems = size_problems(limits, inputs=0, outputs=0, observations=count, x_field=table.name)
        if problems:
            raise InvalidInput(*problems)
        parts.append((x, y, weights))
    if not count:
        raise InvalidInput(Problem(table.name, f"has no row with a value in {schema.target.name!r}: nothing to learn."))
    width = len(schema.x_columns)
    x = np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part, _, _ in parts])
    y = np.concatenate([part for _, part, _ in parts])
    if isinstance(rows.weight, float | int):
        weights = np.full(count, float(rows.weight))
    else:
        weights = None if weight is None else np.concatenate([part for _, _, part in parts if part is not None])
    return Observations(x, y, weights, schema.levels_for(manifest.column_kinds)), schema


def query_of_row(schema: TableSchema, row: TableRows, limits: Limits) -> Array | None:
    """Return the query (1, D) that a row without a target is; None if it has one.

    Raises:
        InvalidInput: As `encode_queries`.
    """
    target = schema.target.name
    if target in row.table.columns:
        (chunk,) = row.table.chunks([target], text=schema.text_columns)
        if not without_target(schema, chunk).any():
            return None
    ((_, x),) = encode_queries(schema, row.table, row.found, (), limits)
    return x


def encode_queries(
    schema: TableSchema, table: Table, found: Findings, keys: tuple[str, ...], limits: Limits
) -> Iterator[tuple[Chunk, Array]]:
    """Make queries (M, D) of all rows of a table, in chunks.

    Raises:
        InvalidInput: A column is missing or changed, there is no row, or there are too many.
    """
    columns = [*schema.feature_names, *keys]
    check_columns(columns, table.columns, table.name)
    add_unknown_columns(schema, table, found, *keys)
    count, outputs = 0, max(1, len(schema.classes))
    for chunk in table.chunks(columns, text=schema.text_columns):
        count += chunk.rows
        problems = size_problems(limits, inputs=0, outputs=outputs, queries=count, query_field=table.name)
        if problems:
            raise InvalidInput(*problems)
        if chunk.rows:
            yield chunk, queries(schema, chunk, found, table.place)
    if not count:
        raise InvalidInput(Problem(table.name, "has no rows: there is nothing to predict."))
