"""The model for a table, and predictions for its rows."""

from typing import NamedTuple

import numpy as np

from service.errors import InvalidInput, Problem
from service.inference.predictor import Prediction, Predictor
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.tables.cells import Cells, Chunk, Table
from service.tables.inferring import decide
from service.tables.requested import Requested
from service.tables.schema import TableSchema
from service.tables.summary import ColumnSummary, summarize

CLASSIFIER = "classifier"
"""The model of classes, where the default model is one of numbers."""
CHUNK_NUMBERS = 2**18
"""Numbers of x, y and weights in one chunk: 2 MiB."""


def rows_in_chunk(width: int) -> int:
    """Return the rows of a chunk with so many columns of x and y."""
    return max(1, CHUNK_NUMBERS // (width + 1))


def infer_schema(table: Table, requested: Requested) -> TableSchema:
    """Read a table once, and decide what becomes of each column by the rows that have a target.

    Raises:
        InvalidInput: See `decide`; a named column does not exist.
    """
    return decide(summaries_of(table, requested), requested, table.place)


def summaries_of(table: Table, requested: Requested) -> dict[str, ColumnSummary]:
    """Read a table once, and summarise its features and target in the rows that have a target.

    Raises:
        InvalidInput: A named column does not exist.
    """
    columns = [*requested.features(table.columns), *([] if requested.target is None else [requested.target])]
    summaries = summarize(table, columns, requested.as_text(), known=requested.target)
    return {name: summaries[name] for name in columns}


def model_for(predictor: Predictor, schema: TableSchema, model: str | None, version: str | None = None) -> Runtime:
    """Choose the model: as named, or the default for numbers, and `classifier` for classes.

    Raises:
        InvalidInput: The model is for the other task.
        UnknownModel: There is no such model.
    """
    classes = schema.task == "classification"
    if model is None and classes and predictor.runtime(None).manifest.task != schema.task:
        model = CLASSIFIER
    runtime = predictor.runtime(model, version)
    manifest = runtime.manifest
    if manifest.task != schema.task:
        name = schema.target.name
        what = "classes" if classes else "numbers"
        text = f"{manifest.name} is for {manifest.task}; the target {name!r} holds {what}. Name another model or task."
        raise InvalidInput(Problem("model", text))
    return runtime


class PredictedRows(NamedTuple):
    """Some of the rows to predict, with their predictions."""

    chunk: Chunk
    prediction: Prediction
    target: Cells | None = None
    """The target in all rows of the chunk's batch, if the rows are selected by it."""


def classes_of(schema: TableSchema, prediction: Array) -> list[str]:
    """Return the most probable class of each row of probabilities (M, K)."""
    return [schema.classes[place] for place in np.argmax(prediction, 1).tolist()]
