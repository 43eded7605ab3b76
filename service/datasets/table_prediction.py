"""Predictions for the rows of one table by those of another, which may be larger than memory."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from service.datasets.streaming import answers, joined, predictions
from service.errors import InvalidInput, Problem
from service.inference.checks import UNLIMITED, Limits, size_problems
from service.inference.distribution import NOTHING, Wanted
from service.inference.predictor import Observations, Predictor
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.states.context_state import ContextState
from service.states.readouts import ReadoutCache
from service.tables.cells import Cells, Chunk, Table
from service.tables.encoding import EncodedRows, Findings, check_columns, observations, queries, without_target
from service.tables.predicting import PredictedRows, rows_in_chunk
from service.tables.schema import WORDS_OF_KIND, TableSchema

Item = TypeVar("Item")


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
    """Whether chunks of queries have all rows and columns of their source as `batch`."""
    chunk_rows: int | None = None
    """Rows of a chunk, at most; a quarter of a million numbers if left out."""
    limits: Limits = UNLIMITED
    """Of the whole prediction; those of the predictor apply to one chunk."""
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
        inputs, outputs = len(self.schema.x_columns), max(1, len(self.schema.classes))
        _refuse(size_problems(self.limits, inputs=inputs, outputs=outputs, columns_field=self.context.name))
        chunks = deque[tuple[Chunk, Cells | None]]()
        context, first = _peek(self.observations())
        if not first:
            raise InvalidInput(Problem(self.context.name, "has no row with a target. It needs at least one."))
        query, asked = _peek(self._some_queries(chunks))
        if len(first) == len(asked) == 1:  # one run of the graph is quicker, and needs no state
            answers = iter([self.predictor.answer(self.runtime, first[0], asked[0], parameters, wanted)])
        else:
            answers = predictions(self.predictor, self.runtime, context, query, parameters, wanted=wanted)
        for answer in answers:
            chunk, cells = chunks.popleft()
            yield PredictedRows(chunk, answer, cells)

    def run_from(
        self,
        state: ContextState,
        parameters: Mapping[str, float],
        wanted: Wanted = NOTHING,
        readouts: ReadoutCache | None = None,
    ) -> Iterator[PredictedRows]:
        """Predict the queries from a state, in chunks, without learning.

        Raises:
            InvalidInput: Something does not fit.
            UnsupportedByModel: The model does not support what the caller wants.
        """
        chunks = deque[tuple[Chunk, Cells | None]]()
        queries = self._queries(chunks)
        found_answers = answers(
            self.predictor, self.runtime, state, queries, parameters, wanted=wanted, readouts=readouts
        )
        for found in found_answers:
            chunk, cells = chunks.popleft()
            yield PredictedRows(chunk, found, cells)

    def observations(self) -> Iterator[Observations]:
        """Read the rows of the context that have a target, in chunks of equally many rows.

        Raises:
            InvalidInput: Something does not fit.
        """
        return joined(self._observations(), self._rows)

    def _observations(self) -> Iterator[Observations]:
        columns = [*self.schema.feature_names, self.schema.target.name]
        columns += [] if self.weight is None else [self.weight]
        name, levels = self.context.name, self.schema.levels_for(self.runtime.manifest.column_kinds)
        check_columns(columns, self.context.columns, name)
        for chunk in self._chunks(self.context, columns):
            rows = observations(self.schema, chunk, self.found, self.weight, self.context.place)
            if len(rows.x):
                self.n_observations += len(rows.x)
                _refuse(size_problems(self.limits, inputs=0, outputs=0, observations=self.n_observations, x_field=name))
                self._check_gaps(rows.x, self.context, rows.places)
                yield Observations(rows.x, rows.y, rows.weight, levels)

    def _some_queries(self, chunks: deque[tuple[Chunk, Cells | None]]) -> Iterator[Array]:
        """Read queries.

        Raises:
            InvalidInput: There are none.
        """
        count = 0
        for x in self._queries(chunks):
            count += len(x)
            yield x
        if not count:
            table, target = self.query or self.context, self.schema.target.name
            what = "has no rows" if self.query else f"has no row without a value in {target!r}"
            raise InvalidInput(Problem(table.name, f"{what}: there is nothing to predict."))

    def _queries(self, chunks: deque[tuple[Chunk, Cells | None]]) -> Iterator[Array]:
        """Read queries; each chunk is there while its predictions are used."""
        own = self.query is None
        table, target = self.query or self.context, self.schema.target.name
        columns = [*self.schema.feature_names, *[target] * own, *self.keys]
        check_columns(columns, table.columns, table.name)
        count, outputs = 0, max(1, len(self.schema.classes))
        for chunk in self._chunks(table, columns, whole=self.whole):
            cells = chunk.cells[target] if own else None
            if own:
                chunk = chunk.select(without_target(self.schema, chunk))  # noqa: PLW2901  (the same rows)
            if chunk.rows or self.whole:
                count += chunk.rows
                _refuse(size_problems(self.limits, inputs=0, outputs=outputs, queries=count, query_field=table.name))
                chunks.append((chunk, cells))
                x = queries(self.schema, chunk, self.found_in_queries, table.place, strict=not own)
                self._check_gaps(x, table, chunk.numbers())
                yield x

    def _chunks(self, table: Table, columns: Collection[str], *, whole: bool = False) -> Iterator[Chunk]:
        """Read rows, in chunks of which the numbers need little memory."""
        for chunk in table.chunks(columns, text=self.schema.text_columns, whole=whole):
            yield from chunk.parts(self._rows)

    @property
    def _rows(self) -> int:
        width = len(self.schema.x_columns) + max(1, len(self.schema.classes))
        return self.chunk_rows or rows_in_chunk(width)

    def _check_gaps(self, x: Array, table: Table, numbers: NDArray[np.intp]) -> None:
        """See that no cell is missing, or cannot be read, if the model takes no missing cells.

        Raises:
            InvalidInput: One is; names every column.
        """
        model = self.runtime.manifest
        gaps = np.isnan(x)
        if model.missing_cells or not gaps.any():
            return
        problems, at = list[Problem](), 0
        for column in self.schema.features:
            width = len(column.columns())
            rows = gaps[:, at : at + width].any(1)
            at += width
            if rows.any():
                where = f"column {column.name!r}, {table.place(int(numbers[rows.argmax()]))}"
                text = f"is missing, or not {WORDS_OF_KIND[column.kind]}; model {model.name} takes no missing cells"
                problems.append(Problem(where, f"{text} (version {model.version}). Fill it in, or name another model."))
        raise InvalidInput(*problems)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InvalidInput(*problems)


def _peek(items: Iterator[Item]) -> tuple[Iterator[Item], list[Item]]:
    """Return an iterator, and its first one or two items."""
    first = list(islice(items, 2))
    return chain(first, items), first


def context_rows(job: TablePrediction) -> EncodedRows:
    """Read the observations of a table at once, for what looks into them after a prediction."""
    schema, weight = job.schema, job.weight
    columns = [*schema.feature_names, schema.target.name, *([] if weight is None else [weight])]
    chunks = job.context.chunks(columns, text=schema.text_columns)
    parts = [observations(schema, chunk, Findings(), weight, job.context.place) for chunk in chunks]
    x, y, places = (np.concatenate([getattr(rows, name) for rows in parts]) for name in ("x", "y", "places"))
    weights = [rows.weight for rows in parts if rows.weight is not None]
    return EncodedRows(x, y, np.concatenate(weights) if weights else None, places)
