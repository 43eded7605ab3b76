"""Batches for the contexts of an owner: observations, predictions, and contexts by their names."""

import hashlib
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Connection

from service.column_names import ColumnNames, arrange_query
from service.contexts.idempotency import run_idempotent
from service.contexts.labels import read_name
from service.contexts.observing import Result, observe_many
from service.contexts.records import ContextRecord, LoadedContext
from service.contexts.repository import ContextRepository
from service.contexts.requests import ContextSpec, ObserveRequest, empty_context
from service.contexts.tables import PredictedTable, TableRows, encode_queries, schema_of
from service.errors import InvalidInput, NameTaken, QuotaExceeded, ServiceError, UnknownContext
from service.inference.checks import Limits, size_problems
from service.inference.distribution import NOTHING, Wanted
from service.inference.predictor import Prediction, Predictor
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.states.context_state import ContextState, Question, answer
from service.states.readouts import ReadoutCache
from service.states.stacking import predict_together
from service.store.database import Database
from service.tables.cells import Chunk, Table
from service.tables.predicting import PredictedRows

Answer = dict[str, object]
"""The answer to one request, as JSON."""

REQUESTS_LIMIT = 1000
"""Requests in one transaction of a batch."""
ATTEMPTS = 10
"""Times that another caller may create some of the contexts first."""


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


class ContextBatches:
    """Batches of requests to contexts.

    Args:
        repository: Has the contexts.
        database: Has their rows.
        predictor: Has the models and the limits.
        clock: Returns the seconds since 1970.
        readouts: Keeps the readouts of states.
    """

    def __init__(
        self,
        repository: ContextRepository,
        database: Database,
        predictor: Predictor,
        clock: Callable[[], float],
        readouts: ReadoutCache,
    ) -> None:
        self._repository = repository
        self._database = database
        self._predictor = predictor
        self._clock = clock
        self._readouts = readouts

    def observe(
        self,
        owner: str,
        requests: Sequence[ObserveRequest | ServiceError],
        write: Callable[[ObserveRequest | ServiceError, Result], Answer],
        *,
        key: str | None = None,
        digest: str = "",
        number: int = 0,
    ) -> list[Answer]:
        """Learn observations of many contexts in one transaction; see `ContextService.observe_many`.

        Args:
            owner: Of the contexts and the key.
            requests: The observations, or errors, which are their own results.
            write: Makes the answer to one request, of its result.
            key: Of the whole request: sent again under it, it is learnt once, and answered as the first time.
            digest: Hash of the whole request.
            number: Of this transaction among those of the request.

        Raises:
            Conflict: The key was used for another request.
            DatabaseUnavailable: Nothing was learnt, or the message says that this is unknown.
        """
        part = None if key is None else _part_key(key, number)
        with run_idempotent(self._database, owner, part, {"batch": digest, "part": number}, self._clock()) as change:
            if change.is_replay:
                return list(change.answer)
            limits, valid = self._predictor.limits, [one for one in requests if isinstance(one, ObserveRequest)]
            learnt = iter(observe_many(change.connection, self._repository, limits, valid, self._clock()))
            change.answer = answers = [
                write(one, one if isinstance(one, ServiceError) else next(learnt)) for one in requests
            ]
            return answers

    def predict(
        self, owner: str, requests: Sequence[QueryRequest | ServiceError], max_age: float = 0.0
    ) -> list[QueryResult]:
        """Answer queries to many contexts, which do not change; see `ContextService.predict`, also for `max_age`.

        Raises:
            InvalidInput: All together there are too many predictions.
        """
        ids = [request.context_id for request in requests if isinstance(request, QueryRequest)]
        contexts = self._repository.load_many(owner, ids, max_age)
        results = _predict_each(contexts, requests, self._predictor.limits, self._readouts)
        self._repository.touch_many([loaded for loaded in contexts.values() if isinstance(loaded, LoadedContext)])
        return results

    def ids_of(
        self, owner: str, names: Collection[str], create: ContextSpec | None = None
    ) -> Mapping[str, str | ServiceError]:
        """Find the ids of names, or the errors of those that there are not.

        Args:
            owner: Of the contexts.
            names: Their names.
            create: Create contexts of unknown names with it.

        Raises:
            UnknownModel, UnknownContext, UnsupportedByModel, InvalidInput: As `ContextService.create`.
            NameTaken: Others create and delete contexts of these names all the time.
        """
        new = None if create is None else (*self._empty(owner, create), create)
        refused = _refused(names)
        names = {*names} - refused.keys()
        with self._database.reading() as connection:
            found = refused | self._repository.ids_of_names(connection, owner, names)
        missing = sorted(names - found.keys())
        if new is None or not missing:
            return found | {name: UnknownContext.named(name) for name in missing}
        for _ in range(ATTEMPTS):
            try:
                with self._database.transaction() as connection:
                    return found | self._create(connection, owner, missing, new)
            except NameTaken as error:  # by another transaction: the next attempt finds it
                taken = error
        raise taken

    def _empty(self, owner: str, spec: ContextSpec) -> tuple[Runtime, ContextState]:
        like = None if spec.like is None else self._repository.load(owner, spec.like)
        return empty_context(self._predictor, spec, like)

    def _create(
        self, connection: Connection, owner: str, names: Collection[str], new: tuple[Runtime, ContextState, ContextSpec]
    ) -> dict[str, str | ServiceError]:
        runtime, state, spec = new
        found: dict[str, str | ServiceError] = {**self._repository.ids_of_names(connection, owner, names)}
        for name in names:
            if name not in found:
                try:
                    named = replace(spec, name=name)
                    found[name] = self._repository.add(connection, owner, runtime, state, named).id
                except QuotaExceeded as error:
                    found[name] = error
        return found


def parts_by_context(contexts: Sequence[Hashable]) -> list[list[int]]:
    """Divide requests into transactions of at most REQUESTS_LIMIT; those of a context stay together and in order.

    Args:
        contexts: Of each request.

    Returns:
        The places of the requests of each transaction.
    """
    places: dict[Hashable, list[int]] = {}
    for place, context in enumerate(contexts):
        places.setdefault(context, []).append(place)
    together = list(chain.from_iterable(places.values())) if len(contexts) > REQUESTS_LIMIT else [*range(len(contexts))]
    return [together[start : start + REQUESTS_LIMIT] for start in range(0, len(together), REQUESTS_LIMIT)]


def _refused(names: Collection[str]) -> dict[str, str | ServiceError]:
    """Return the errors of texts that no context can have as its name."""
    refused: dict[str, str | ServiceError] = {}
    for name in names:
        try:
            read_name(name, "name")
        except InvalidInput as error:
            refused[name] = error
    return refused


def _predict_each(
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


def _part_key(key: str, number: int) -> str:
    """Make the key of one transaction of a request; no caller sends one like it."""
    return f"batch {number} {hashlib.sha256(key.encode()).hexdigest()}"
