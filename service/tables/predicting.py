"""Predictions for rows of tables, which may be larger than memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from service.errors import InvalidInput, Problem
from service.inference.artifact import Manifest
from service.inference.distribution import NOTHING, Wanted
from service.inference.predictor import Observations, Prediction, Predictor
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.tables.cells import Chunk, Table
from service.tables.encoding import Findings, check_columns, observations, queries, without_target
from service.tables.inferring import Requested, decide
from service.tables.schema import TableSchema
from service.tables.streaming import predictions
from service.tables.summary import summarize

CLASSIFIER = "classifier"
"""The model of classes, where the default model is one of numbers."""


def infer_schema(table: Table, requested: Requested) -> TableSchema:
    """Read a table once, and decide what becomes of each column by the rows that have a target.

    Raises:
        InvalidInput: See `decide`; a named column does not exist.
    """
    features = requested.features(table.columns)
    columns = [*features, requested.target]
    summaries = summarize(table, columns, requested.as_text(), known=requested.target)
    return decide({name: summaries[name] for name in columns}, requested)


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


@dataclass
class TablePrediction:
    """A prediction of rows: model, schema and tables."""

    predictor: Predictor
    runtime: Runtime
    schema: TableSchema
    context: Table
    query: Table | None = None
    """None predicts the rows of the context without a target."""
    weight: str | None = None
    keys: tuple[str, ...] = ()
    """Columns of the queries that name the rows."""
    whole: bool = False
    """Whether chunks of queries have all columns of their source."""
    n_observations: int = 0
    """Learnt so far."""
    found: Findings = field(default_factory=Findings)
    """In the context."""
    found_in_queries: Findings = field(default_factory=Findings)

    def run(self, parameters: Mapping[str, float], wanted: Wanted = NOTHING) -> Iterator[PredictedRows]:
        """Learn the context, then predict the queries, in chunks.

        Raises:
            InvalidInput: Something does not fit.
            UnsupportedByModel: The model does not support what the caller wants.
        """
        chunks = list[Chunk]()
        answers = predictions(
            self.predictor, self.runtime, self._observations(), self._queries(chunks), parameters, wanted=wanted
        )
        for answer in answers:
            yield PredictedRows(chunks.pop(), answer)

    def _observations(self) -> Iterator[Observations]:
        columns = [*(column.name for column in self.schema.features), self.schema.target.name]
        columns += [self.weight] if self.weight else []
        for chunk in self.context.chunks(columns, text=text_columns(self.schema)):
            rows = observations(self.schema, chunk, self.found, self.weight, self.context.place)
            if len(rows.x):
                self.n_observations += len(rows.x)
                yield Observations(rows.x, rows.y, rows.weight, _levels(self.schema, self.runtime.manifest))
        if not self.n_observations:
            raise InvalidInput(Problem(self.context.name, "has no row with a target. It needs at least one."))

    def _queries(self, chunks: list[Chunk]) -> Iterator[Array]:
        """Read queries; each chunk is there while its predictions are used."""
        own = self.query is None
        table, target = self.query or self.context, self.schema.target.name
        check_columns(self.schema, table.columns, table.name)
        columns = [*(column.name for column in self.schema.features), *[target] * own, *self.keys]
        some = False
        for chunk in table.chunks(columns, text=text_columns(self.schema), whole=self.whole):
            if own:
                chunk = chunk.select(without_target(self.schema, chunk))  # noqa: PLW2901
            if chunk.rows:
                some = True
                chunks.append(chunk)
                yield queries(self.schema, chunk, self.found_in_queries, table.place)
        if not some:
            what = f"has no row without a value in {target!r}" if own else "has no rows"
            raise InvalidInput(Problem(table.name, f"{what}: there is nothing to predict."))


def text_columns(schema: TableSchema) -> set[str]:
    """Return the columns that are read as text: categories and classes."""
    return {column.name for column in (*schema.features, schema.target) if column.kind == "category"}


def _levels(schema: TableSchema, manifest: Manifest) -> tuple[int, ...]:
    """Return the levels for a model; one that does not know levels takes them as numbers."""
    return schema.levels if "level" in manifest.column_kinds else ()


def classes_of(schema: TableSchema, prediction: Array) -> list[str]:
    """Return the most probable class of each row of probabilities (M, K)."""
    return [schema.classes[place] for place in np.argmax(prediction, 1).tolist()]
