"""Observations of requests, learnt in one transaction: each request has its own result, version and key."""

from collections.abc import Sequence
from contextvars import Context
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Connection

from service.column_names import arrange, arrange_query
from service.contexts.idempotency import IdempotencyKeys, check_key, fingerprint
from service.contexts.records import ContextRecord, LoadedContext, StreamStep
from service.contexts.repository import ContextRepository
from service.contexts.requests import ObserveRequest, StepRequest
from service.contexts.shards import learn_shard, refuse_shards
from service.contexts.tables import TableRows, encode_rows, schema_of, written
from service.errors import ServiceError
from service.inference.checks import Limits
from service.inference.distribution import check_wanted
from service.inference.predictor import Observations, Prediction
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.states.context_state import ContextState, answer
from service.states.learning import check_step, learn, widen
from service.states.readouts import ReadoutCache
from service.states.stacking import Lesson, learn_together

Answer = Any
"""The `ContextRecord` after a request; of a `StepRequest` what its `write` returns."""
Result = Answer | ServiceError
ContextKey = tuple[str, str]
"""An owner and the id of a context."""


def observe_many(
    connection: Connection,
    repository: ContextRepository,
    limits: Limits,
    requests: Sequence[ObserveRequest],
    now: float,
    *,
    variables: Sequence[Context] | None = None,
    readouts: ReadoutCache | None = None,
) -> list[Result]:
    """Learn observations in a transaction; see `ContextService.observe_many`.

    Args:
        connection: In the transaction.
        repository: Has the contexts.
        limits: On the observations.
        requests: The observations.
        now: Seconds since 1970.
        variables: The context variables with which each request is learnt, such as its statistics; None for those here.
        readouts: Keeps the readouts of states.
    """
    batch = _Batch(connection, repository, limits, requests, now, readouts=readouts or ReadoutCache())
    if variables is None:
        if len(requests) > 1:
            batch.learn_ahead(requests)
        results = [batch.result_of(number, request) for number, request in enumerate(requests)]
    else:
        results = [variables[number].run(batch.result_of, number, request) for number, request in enumerate(requests)]
    batch.store()
    return results


class _Batch:
    """The contexts and the keys of a batch: all are read at its start, and written at its end."""

    def __init__(
        self,
        connection: Connection,
        repository: ContextRepository,
        limits: Limits,
        requests: Sequence[ObserveRequest],
        now: float,
        *,
        readouts: ReadoutCache,
    ) -> None:
        self._connection = connection
        self._repository = repository
        self._limits = limits
        self._readouts = readouts
        valid = [request for request in requests if _key_error(request) is None]
        keys = [(request.owner, key) for request in valid if (key := request.change.idempotency_key) is not None]
        self._keys = IdempotencyKeys(connection, keys, now)
        self._contexts = repository.load_many_for_update(connection, [_context_of(request) for request in valid])
        self._changed: dict[ContextKey, LoadedContext] = {}
        self._ahead: dict[int, ContextRecord] = {}
        """Records after requests, by their numbers, that are learnt already."""

    def learn_ahead(self, requests: Sequence[ObserveRequest]) -> None:
        """Learn the first requests of each context in a few runs of the graph, as far as none needs a decision."""
        series = self._first_requests(requests)
        lessons, chosen = [], []
        for context, numbers in series.items():
            loaded = self._contexts[context]
            if isinstance(loaded, LoadedContext) and loaded.shard is None:
                chosen.append((context, numbers, loaded))
                lessons.append(Lesson(loaded.runtime, loaded.state, _joined([requests[i] for i in numbers])))
        for (context, numbers, loaded), state in zip(chosen, learn_together(lessons, self._limits), strict=True):
            if state is not None:
                versions = self._repository.next_versions(loaded, state, [_count(requests[i]) for i in numbers])
                self._contexts[context] = self._changed[context] = versions[-1]
                self._ahead |= zip(numbers, [version.record for version in versions], strict=True)

    def _first_requests(self, requests: Sequence[ObserveRequest]) -> dict[ContextKey, list[int]]:
        """Return the first requests of each context that have rows of one form, and neither condition nor key."""
        series: dict[ContextKey, list[int]] = {}
        ended, keys = set[ContextKey](), set[str]()
        for number, request in enumerate(requests):
            context, key = _context_of(request), request.change.idempotency_key
            numbers = series.setdefault(context, [])
            is_first = not numbers or _is_alike(requests[numbers[0]].new, request.new)
            if context in ended or not is_first or not self._is_simple(request) or key in keys:
                ended.add(context)
            else:
                numbers.append(number)
            if key is not None:
                keys.add(key)
        return {context: numbers for context, numbers in series.items() if numbers}

    def _is_simple(self, request: ObserveRequest) -> bool:
        """Whether a request brings observations of weight 1 under no condition, and its key was not used before."""
        new, key = request.new, request.change.idempotency_key
        return (
            not isinstance(request, StepRequest)
            and isinstance(new, Observations)
            and new.weight is None
            and new.columns is None
            and not new.levels
            and len(new.x) == len(new.y) > 0
            and request.change.if_version is None
            and (key is None or self._keys.is_new((request.owner, key)))
        )

    def result_of(self, number: int, request: ObserveRequest) -> Result:
        """Learn the observations of one request, unless its key was used before."""
        key, ahead = request.change.idempotency_key, self._ahead.get(number)
        if ahead is not None and key is None:
            return ahead
        error = _key_error(request)
        if error is not None:
            return error
        try:
            if key is None:
                return self._learn(request)
            owned, used_for = (request.owner, key), fingerprint(request.fields())
            answer = self._keys.answer_of(owned, used_for)
            if answer is not None:
                return request.restored(answer)
            result = ahead or self._learn(request)
        except ServiceError as problem:
            return problem
        self._keys.set_answer(owned, used_for, result)
        return result

    def store(self) -> None:
        """Write the contexts and the answers under the keys."""
        self._repository.save_many(self._connection, self._changed.values())
        self._keys.store()

    def _learn(self, request: ObserveRequest) -> Answer:
        loaded = self._contexts[_context_of(request)]
        if isinstance(loaded, ServiceError):
            raise loaded
        if isinstance(request, StepRequest):
            state, step = learn_step(loaded, request, self._limits, self._readouts)
            return request.write(replace(step, record=self._change(request, loaded, state)))
        if loaded.shard is None:
            request.change.check_version(loaded.record.version)
            allow = request.allow_precision_loss
            state = learn_new(loaded.runtime, self._limits, loaded.state, request.new, allow_precision_loss=allow)
        else:
            state = learn_shard(loaded, self._limits, request)
        return self._change(request, loaded, state)

    def _change(self, request: ObserveRequest, loaded: LoadedContext, state: ContextState) -> ContextRecord:
        """Make a state the next version of a context, from which the rest of the batch continues."""
        context, after = _context_of(request), self._repository.next_version(loaded, state)
        self._contexts[context] = self._changed[context] = after
        return after.record


def _is_alike(first: Observations | TableRows, new: Observations | TableRows) -> bool:
    """Whether observations have the same numbers of columns, so that they can be learnt as one."""
    if isinstance(first, TableRows) or isinstance(new, TableRows):
        return False
    return (first.x.shape[1], first.y.shape[1:]) == (new.x.shape[1], new.y.shape[1:])


def _count(request: ObserveRequest) -> int:
    return 0 if isinstance(request.new, TableRows) else len(request.new.x)


def _joined(requests: Sequence[ObserveRequest]) -> Observations:
    parts = [request.new for request in requests if isinstance(request.new, Observations)]
    if len(parts) == 1:
        return parts[0]
    return Observations(np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts]))


def learn_new(
    runtime: Runtime,
    limits: Limits,
    state: ContextState,
    new: Observations | TableRows,
    at: str = "",
    *,
    allow_precision_loss: bool = False,
) -> ContextState:
    """Learn observations, or rows by the schema of the context, to which new levels are added; see `learn`."""
    if not isinstance(new, TableRows):
        return learn(runtime, limits, state, new, at, allow_precision_loss=allow_precision_loss)
    rows, schema = encode_rows(schema_of(state.table_schema), new, runtime.manifest, limits)
    after = learn(runtime, limits, state, rows, f"{new.table.name}.", allow_precision_loss=allow_precision_loss)
    return replace(after, table_schema=written(schema))


def learn_step(
    loaded: LoadedContext, request: StepRequest, limits: Limits, readouts: ReadoutCache
) -> tuple[ContextState, StreamStep]:
    """Predict at the query, else at the x of the observation, then learn the observation.

    While the context is empty there is nothing to predict from: prediction and error are None, and it learns.

    Args:
        loaded: The context before.
        request: One observation, or one row with a target.
        limits: On its columns.
        readouts: Keeps the readouts of states.

    Returns:
        The state after it, which is not stored, and the step with the record before it.

    Raises:
        InvalidInput, PrecisionLoss, UnsupportedByModel, NumericOverflow: As for `learn` and `answer`.
        Conflict: The context has shards.
    """
    refuse_shards(loaded.record)
    runtime, before, new, schema = loaded.runtime, loaded.state, request.new, None
    if isinstance(new, TableRows):
        new, schema = encode_rows(schema_of(before.table_schema), new, runtime.manifest, limits)
    check_step(runtime.manifest, new, request.query)
    allow = request.allow_precision_loss
    after = learn(runtime, limits, before, new, "observation.", unnumbered=True, allow_precision_loss=allow)
    if schema is not None:
        after = replace(after, table_schema=written(schema))
    if before.is_empty:
        check_wanted(runtime.manifest, request.wanted)
        return after, StreamStep(None, None, loaded.record, schema)
    widened = widen(before, new.x.shape[1], after.levels, after.columns)

    def predict(query: Array) -> Prediction:
        arranged = arrange_query(widened.columns, query, new.columns)
        return answer(runtime, limits, widened, arranged, wanted=request.wanted, readouts=readouts)

    at_x = predict(new.x)
    error = arrange(after.columns, new)[0].y - at_x.prediction
    prediction = at_x if request.query is None else predict(request.query)
    return after, StreamStep(prediction, error, loaded.record, schema)


def _context_of(request: ObserveRequest) -> ContextKey:
    return request.owner, request.context_id


def _key_error(request: ObserveRequest) -> ServiceError | None:
    key = request.change.idempotency_key
    try:
        if key is not None:
            check_key(key)
    except ServiceError as error:
        return error
    return None
