"""Observations for many contexts, learnt in one transaction: each request has its own result, version and key."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from sqlalchemy import Connection

from service.contexts.batch_keys import BatchKeys
from service.contexts.idempotency import check_key, fingerprint
from service.contexts.learning import learn
from service.contexts.records import ContextRecord, LoadedContext
from service.contexts.repository import ContextRepository, check_version
from service.contexts.requests import ObserveRequest
from service.contexts.shards import learn_shard
from service.contexts.state import ContextState
from service.contexts.tables import TableRows, encode_rows, schema_of, written
from service.errors import ServiceError
from service.inference.checks import Limits
from service.inference.predictor import Observations
from service.inference.runtime import Runtime

Result = ContextRecord | ServiceError
ContextKey = tuple[str, str]
"""An owner and the id of a context."""

REQUESTS_LIMIT = 1000
"""Requests in one transaction of a batch."""

Run = Callable[[int, Callable[[], Result]], Result]
"""Calls the function that learns the observations of one request, by the number of the request."""


def run_here(_number: int, work: Callable[[], Result]) -> Result:
    """Learn the observations of one request."""
    return work()


def observe_many(
    connection: Connection,
    repository: ContextRepository,
    limits: Limits,
    requests: Sequence[ObserveRequest],
    now: float,
    *,
    run: Run = run_here,
) -> list[Result]:
    """Learn observations in a transaction; see `ContextService.observe_many`."""
    batch = _Batch(connection, repository, limits, requests, now)
    results = [run(number, partial(batch.result_of, request)) for number, request in enumerate(requests)]
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
    ) -> None:
        self._connection = connection
        self._repository = repository
        self._limits = limits
        valid = [request for request in requests if _key_error(request) is None]
        keys = [(request.owner, key) for request in valid if (key := request.change.idempotency_key) is not None]
        self._keys = BatchKeys(connection, keys, now)
        self._contexts = repository.load_many_for_update(connection, [_context_of(request) for request in valid])
        self._changed: dict[ContextKey, LoadedContext] = {}

    def result_of(self, request: ObserveRequest) -> Result:
        """Learn the observations of one request, unless its key was used before."""
        error = _key_error(request)
        if error is not None:
            return error
        key = request.change.idempotency_key
        try:
            if key is None:
                return self._learn(request)
            owned, used_for = (request.owner, key), fingerprint(request.fields())
            answer = self._keys.answer_of(owned, used_for)
            if answer is not None:
                return answer if isinstance(answer, ContextRecord) else ContextRecord.from_json(answer)
            record = self._learn(request)
        except ServiceError as problem:
            return problem
        self._keys.set_answer(owned, used_for, record)
        return record

    def store(self) -> None:
        """Write the contexts and the answers under the keys."""
        self._repository.save_many(self._connection, self._changed.values())
        self._keys.store()

    def _learn(self, request: ObserveRequest) -> ContextRecord:
        context = _context_of(request)
        loaded = self._contexts[context]
        if isinstance(loaded, ServiceError):
            raise loaded
        if loaded.shard is None:
            check_version(loaded.record.version, request.change)
            allow = request.allow_precision_loss
            state = learn_new(loaded.runtime, self._limits, loaded.state, request.new, allow_precision_loss=allow)
        else:
            state = learn_shard(loaded, self._limits, request)
        after = self._repository.next_version(loaded, state)
        self._contexts[context] = self._changed[context] = after
        return after.record


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
