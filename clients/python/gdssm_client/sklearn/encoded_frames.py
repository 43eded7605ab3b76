"""Frames with columns of any kind as columns of x, by a schema that is inferred from the first one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdssm_client import frame_tables, frames
from gdssm_client.cells import Cells, text_of
from gdssm_client.choices import Kind
from gdssm_client.errors import InvalidArgument
from gdssm_client.frames import Array, Frame
from gdssm_client.learning.encoding import Finding, Findings, check_columns, queries, with_later_levels
from gdssm_client.learning.errors import InvalidInput
from gdssm_client.learning.memory import MemoryTable
from gdssm_client.learning.predicting import infer_schema
from gdssm_client.learning.requested import Requested
from gdssm_client.learning.schema import KINDS, ColumnSchema, TableSchema, listed

Kinds = Mapping[str, Kind] | None
"""What columns hold, by name; the others are inferred."""
TARGET = "y"
"""The name of a target without one."""


class Encoded(NamedTuple):
    """Rows as columns of x."""

    x: Array
    """(N, D); NaN where a cell is missing."""
    schema: TableSchema | None = None
    """None if the rows were numbers."""
    findings: tuple[Finding, ...] = ()
    """Cells that are not as the schema has them."""


def schema_of(
    table: MemoryTable, y: Array | None, target: str, kinds: Kinds, *, keep_constant: bool = False
) -> TableSchema:
    """Infer what becomes of each column.

    Args:
        table: Of a frame with N rows.
        y: (N,) or (N, K); None for classes, which the schema then lacks.
        target: The name of y.
        kinds: What the caller says of columns.
        keep_constant: Whether to use columns whose cells are all equal, because later rows may differ.

    Raises:
        InvalidArgument: A column is not what the caller says, or none is left to predict from.
    """
    kinds = kinds or {}
    for column, kind in kinds.items():
        if kind not in KINDS:
            raise InvalidArgument(f"kinds: column {column!r} is {kind!r}; it must be one of {listed(KINDS)}.")
    values = np.zeros(table.rows) if y is None else y if y.ndim == 1 else y[:, 0]
    with_target = MemoryTable("X", {**table.cells, target: Cells("number", values)})
    try:
        requested = Requested(target, kinds=kinds, task="regression", keep_constant=keep_constant)
        return infer_schema(with_target, requested)
    except InvalidInput as error:
        raise InvalidArgument(str(error)) from error


def table_of(frame: Frame) -> MemoryTable:
    """Convert a frame to a table.

    Raises:
        NotNumbers: A column has a type that is not supported.
    """
    return MemoryTable("X", {name: Cells(*cells) for name, cells in frame_tables.table_of(frame, "X").items()})


def with_classes(schema: TableSchema, classes: NDArray[np.generic]) -> TableSchema:
    """Set the classes of the target."""
    levels = tuple(text_of(label) or "" for label in classes.tolist())
    return replace(schema, target=ColumnSchema(schema.target.name, "category", levels=levels))


def target_name(y: object, frame: Frame) -> str:
    """Return the name of y, if it has one that is no column of X."""
    name = str(getattr(y, "name", None) or TARGET)
    while name in map(str, frame.columns):
        name += "_"
    return name


def table_for(schema: TableSchema, frame: Frame) -> MemoryTable:
    """Convert the columns that a schema needs, in any order; other columns are ignored.

    Raises:
        InvalidArgument: A column is missing.
    """
    try:
        check_columns(schema.feature_names, [*map(str, frame.columns)], "X")
    except InvalidInput as error:
        raise InvalidArgument(str(error)) from error
    return table_of(frames.select(frame, "X", schema.feature_names)[0])


def encode(schema: TableSchema, table: MemoryTable, *, further_levels: bool = False) -> Encoded:
    """Encode rows.

    Args:
        schema: Of the table.
        table: Of N rows, with all columns that the schema needs.
        further_levels: Whether levels that no earlier row had become further columns of x.

    Raises:
        InvalidArgument: A column holds something else than before.
    """
    names, findings = schema.feature_names, Findings()
    (chunk,) = table.chunks(names, text=schema.text_columns & {*names})
    if further_levels:
        schema = with_later_levels(schema, chunk)
    try:
        x = queries(schema, chunk, findings, table.place)
    except InvalidInput as error:
        raise InvalidArgument(str(error)) from error
    return Encoded(x, schema, tuple(findings))
