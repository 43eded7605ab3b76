"""Predictions as columns of a table, with the columns that name the rows or all columns of the file; needs pyarrow."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from service.inference.sizes import Array
from service.tables.cells import Cells, as_text
from service.tables.encoding import values_of
from service.tables.predicting import PredictedRows, classes_of
from service.tables.schema import TableSchema


def predicted_rows(part: PredictedRows, schema: TableSchema, keys: Sequence[str] = ()) -> pa.RecordBatch:
    """Make a table of predictions: keys, the target, its bounds, and the probabilities of classes.

    Args:
        part: M predictions.
        schema: Of the table.
        keys: Columns of the queries that name the rows.

    Returns:
        M rows.
    """
    columns = {name: _key(part, name) for name in keys} | _predictions(part, schema)
    return pa.record_batch(list(columns.values()), list(columns))


def rows_with_predictions(part: PredictedRows, schema: TableSchema, *, typed: bool) -> pa.RecordBatch:
    """Add the columns of the predictions to all columns of the file.

    A column of the same name is replaced: in the rows that were predicted, and the target in no others.

    Args:
        part: M predictions; its chunk has the rows of the file (R).
        schema: Of the table.
        typed: Whether a target of numbers is a column of numbers; otherwise other rows have it as the file has it.

    Returns:
        R rows.
    """
    batch, chunk, target = part.chunk.batch, part.chunk, schema.target.name
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    places = None if chunk.selected is None else chunk.selected - chunk.start
    for name, values in _predictions(part, schema).items():
        found = values if places is None else _spread(values, places, batch.num_rows)
        if name == target and places is not None and name in columns:
            found = _joined(found, places, columns[name], part.target, schema, typed=typed)
        columns[name] = found
    return pa.record_batch(list(columns.values()), list(columns))


def _predictions(part: PredictedRows, schema: TableSchema) -> dict[str, pa.Array]:
    found, name = part.prediction, schema.target.name
    if schema.classes:
        columns = {name: pa.array(classes_of(schema, found.prediction), pa.string())}
        for place, level in enumerate(schema.classes):
            columns[f"{name}={level}"] = _numbers(found.prediction[:, place])
        return columns
    columns = {name: _numbers(found.prediction)}
    if found.lower is not None and found.upper is not None:
        columns |= {f"{name}_lower": _numbers(found.lower), f"{name}_upper": _numbers(found.upper)}
    return columns


def _numbers(values: Array) -> pa.Array:
    """Convert without `pa.array` of a numpy array, which imports pandas if it is installed; NaN becomes null."""
    values = np.ascontiguousarray(values, np.float64)
    found = pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(values)])
    return pc.if_else(pc.is_nan(found), pa.scalar(None, pa.float64()), found) if np.isnan(values).any() else found


def _key(part: PredictedRows, name: str) -> pa.Array:
    chunk = part.chunk
    if chunk.batch is None:
        cells: Cells = as_text(chunk.cells[name])
        texts = [*cells.texts, None]
        return pa.array([texts[code] for code in cells.values.tolist()], pa.string())
    column = chunk.batch.column(name)
    return column if chunk.selected is None else column.take(_places(chunk.selected - chunk.start))


def _places(places: NDArray[np.intp]) -> pa.Array:
    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places.astype(np.int64))])


def _spread(values: pa.Array, places: NDArray[np.intp], rows: int) -> pa.Array:
    """Put values at places among rows; the others are null."""
    index = np.full(rows, len(values), np.int64)
    index[places] = np.arange(len(values))
    return pa.concat_arrays([values, pa.nulls(1, values.type)]).take(_places(index))


def _joined(
    values: pa.Array,
    places: NDArray[np.intp],
    own: pa.Array,
    cells: Cells | None,
    schema: TableSchema,
    *,
    typed: bool,
) -> pa.Array:
    """Take the predictions at places, and the own values elsewhere."""
    predicted = np.zeros(len(own), bool)
    predicted[places] = True
    if typed and not schema.classes and cells is not None:
        others = _numbers(values_of(schema.target, cells))
    else:
        values, others = values.cast(pa.string()), own.cast(pa.string())
    mask = pa.array(predicted.tolist(), pa.bool_())
    return pc.if_else(mask, values, others)
