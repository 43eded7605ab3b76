"""Queries to many contexts, which are read together; each has its own result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.column_names import ColumnNames, arrange_query
from service.contexts.cache import ReadoutCache
from service.contexts.records import ContextRecord, LoadedContext
from service.contexts.stacking import predict_together
from service.contexts.state import Question, answer
from service.contexts.tables import PredictedTable, TableRows, encode_queries, schema_of
from service.errors import InvalidInput, ServiceError
from service.inference.checks import Limits, size_problems
from service.inference.distribution import NOTHING, Wanted
from service.inference.predictor import Prediction
from service.inference.sizes import Array
from service.tables.cells import Chunk, Table
from service.tables.predicting import PredictedRows


@dataclass(frozen=True)
class QueryRequest:
    """Queries to one context."""

    context_id: str
    query: Array | TableRows
    """(M, D), or rows in memory for a context of rows of tables."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    wanted: Wanted = NOTHING
    columns: ColumnNames | None = None
    """Names of the columns of the queries."""
    keys: tuple[str, ...] = ()
    """Columns that name the rows of a table."""


class AnsweredQuery(NamedTuple):
    """The predictions of one context."""

    prediction: Prediction
    record: ContextRecord


class AnsweredRows(NamedTuple):
    """The predictions of one context for rows of a table."""

    predicted: PredictedTable
    table: Table
    keys: tuple[str, ...]


QueryResult = AnsweredQuery | AnsweredRows | ServiceError


class _LoadedRequest(NamedTuple):
    """A request with its context and its queries as arrays."""

    request: QueryRequest
    loaded: LoadedContext
    question: Question
    chunk: Chunk | None = None
    """The rows of a table."""


def predict_each(
    contexts: Mapping[str, LoadedContext | ServiceError],
    requests: Sequence[QueryRequest | ServiceError],
    limits: Limits,
    readouts: ReadoutCache,
) -> list[QueryResult]:
    """Answer queries from contexts that were read.

    Args:
        contexts: By id, with the errors of those that cannot be read.
        requests: The queries, or errors, which are their own results.
        limits: On the predictions of all together.
        readouts: Keeps the readouts of states.

    Raises:
        InvalidInput: There are too many predictions.
    """
    found = [
        request if isinstance(request, ServiceError) else _load(contexts[request.context_id], request, limits)
        for request in requests
    ]
    loaded = [one for one in found if isinstance(one, _LoadedRequest)]
    _check_size(loaded, limits)
    together = iter(predict_together([one.question for one in loaded], limits, readouts))
    return [one if isinstance(one, ServiceError) else _result(one, next(together), limits, readouts) for one in found]


def _load(loaded: LoadedContext | ServiceError, request: QueryRequest, limits: Limits) -> _LoadedRequest | ServiceError:
    if isinstance(loaded, ServiceError):
        return loaded
    query, chunk = request.query, None
    try:
        if isinstance(query, TableRows):
            schema = schema_of(loaded.record.table_schema)
            ((chunk, query),) = encode_queries(schema, query.table, query.found, request.keys, limits)
        else:
            query = arrange_query(loaded.state.columns, query, request.columns)
    except ServiceError as error:
        return error
    question = Question(loaded.runtime, loaded.state, query, request.parameters, request.wanted)
    return _LoadedRequest(request, loaded, question, chunk)


def _result(one: _LoadedRequest, prediction: Prediction | None, limits: Limits, readouts: ReadoutCache) -> QueryResult:
    """Return the result of one request, answered alone unless it was answered with others."""
    runtime, state, query, parameters, wanted = one.question
    rows, record = one.request.query, one.loaded.record
    try:
        if prediction is None:
            prediction = answer(runtime, limits, state, query, parameters, wanted=wanted, readouts=readouts)
    except ServiceError as error:
        return error
    if one.chunk is None or not isinstance(rows, TableRows):
        return AnsweredQuery(prediction, record)
    predicted, schema = PredictedRows(one.chunk, prediction), schema_of(record.table_schema)
    table = PredictedTable((predicted,), record, runtime.manifest, schema, rows.found)
    return AnsweredRows(table, rows.table, one.request.keys)


def _check_size(requests: Sequence[_LoadedRequest], limits: Limits) -> None:
    predictions = sum(len(one.question.query) * (one.loaded.record.outputs or 0) for one in requests)
    problems = size_problems(limits, inputs=0, outputs=1, queries=predictions)
    if problems:
        raise InvalidInput(*problems)
