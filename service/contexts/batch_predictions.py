"""Queries to many contexts, which are read together; each has its own result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.column_names import ColumnNames
from service.contexts.records import ContextRecord, LoadedContext
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


Answer = Callable[[LoadedContext, QueryRequest], Prediction]


def predict_each(
    contexts: Mapping[str, LoadedContext | ServiceError],
    requests: Sequence[QueryRequest | ServiceError],
    limits: Limits,
    answer: Answer,
) -> list[AnsweredQuery | ServiceError]:
    """Answer queries from contexts that were read.

    Args:
        contexts: By id, with the errors of those that cannot be read.
        requests: The queries, or errors, which are their own results.
        limits: On the predictions of all together.
        answer: Answers the queries to one context.

    Raises:
        InvalidInput: There are too many predictions.
    """
    _check_size(contexts, requests, limits)
    results: list[AnsweredQuery | ServiceError] = []
    for request in requests:
        loaded = request if isinstance(request, ServiceError) else contexts[request.context_id]
        if isinstance(request, ServiceError) or isinstance(loaded, ServiceError):
            results.append(loaded)  # type: ignore[arg-type]  # an error
            continue
        try:
            results.append(AnsweredQuery(answer(loaded, request), loaded.record))
        except ServiceError as error:
            results.append(error)
    return results


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
