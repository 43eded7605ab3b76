"""Queries to many contexts, which are read together; each has its own result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.column_names import ColumnNames, arrange_query
from service.contexts.cache import ReadoutCache
from service.contexts.predicting_together import predict_together
from service.contexts.records import ContextRecord, LoadedContext
from service.contexts.state import Question, answer
from service.errors import InvalidInput, ServiceError
from service.inference.checks import Limits, size_problems
from service.inference.distribution import NOTHING, Wanted
from service.inference.predictor import Prediction
from service.inference.sizes import Array


@dataclass(frozen=True)
class QueryRequest:
    """Queries to one context."""

    context_id: str
    query: Array
    """(M, D)"""
    parameters: Mapping[str, float] = field(default_factory=dict)
    wanted: Wanted = NOTHING
    columns: ColumnNames | None = None
    """Names of the columns of the queries."""


class AnsweredQuery(NamedTuple):
    """The predictions of one context."""

    prediction: Prediction
    record: ContextRecord


def predict_each(
    contexts: Mapping[str, LoadedContext | ServiceError],
    requests: Sequence[QueryRequest | ServiceError],
    limits: Limits,
    readouts: ReadoutCache,
) -> list[AnsweredQuery | ServiceError]:
    """Answer queries from contexts that were read.

    Args:
        contexts: By id, with the errors of those that cannot be read.
        requests: The queries, or errors, which are their own results.
        limits: On the predictions of all together.
        readouts: Keeps the readouts of states.

    Raises:
        InvalidInput: There are too many predictions.
    """
    _check_size(contexts, requests, limits)
    found = [
        request if isinstance(request, ServiceError) else _question(contexts[request.context_id], request)
        for request in requests
    ]
    questions = [one[0] for one in found if not isinstance(one, ServiceError)]
    together = iter(predict_together(questions, limits, readouts))
    return [one if isinstance(one, ServiceError) else _result(*one, next(together), limits, readouts) for one in found]


def _question(
    loaded: LoadedContext | ServiceError, request: QueryRequest
) -> tuple[Question, ContextRecord] | ServiceError:
    if isinstance(loaded, ServiceError):
        return loaded
    try:
        query = arrange_query(loaded.state.columns, request.query, request.columns)
    except ServiceError as error:
        return error
    return Question(loaded.runtime, loaded.state, query, request.parameters, request.wanted), loaded.record


def _result(
    question: Question, record: ContextRecord, prediction: Prediction | None, limits: Limits, readouts: ReadoutCache
) -> AnsweredQuery | ServiceError:
    """Return the result of one item, answered alone unless it was answered with others."""
    runtime, state, query, parameters, wanted = question
    try:
        if prediction is None:
            prediction = answer(runtime, limits, state, query, parameters, wanted=wanted, readouts=readouts)
    except ServiceError as error:
        return error
    return AnsweredQuery(prediction, record)


def _check_size(
    contexts: Mapping[str, LoadedContext | ServiceError],
    requests: Sequence[QueryRequest | ServiceError],
    limits: Limits,
) -> None:
    predictions = 0
    for request in requests:
        loaded = contexts[request.context_id] if isinstance(request, QueryRequest) else None
        if isinstance(request, QueryRequest) and isinstance(loaded, LoadedContext):
            predictions += len(request.query) * (loaded.record.outputs or 0)
    problems = size_problems(limits, inputs=0, outputs=1, queries=predictions)
    if problems:
        raise InvalidInput(*problems)
