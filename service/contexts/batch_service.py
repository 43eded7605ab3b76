"""Batches for the contexts of an owner: observations, predictions, and contexts by their names."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from service.contexts.batch_names import EmptyContext, ids_of
from service.contexts.batch_predictions import QueryRequest, QueryResult, predict_each
from service.contexts.batches import Result, observe_many
from service.contexts.cache import ReadoutCache
from service.contexts.empty_contexts import empty_context
from service.contexts.idempotency import run_idempotent
from service.contexts.records import LoadedContext
from service.contexts.repository import ContextRepository
from service.contexts.requests import ContextSpec, ObserveRequest
from service.errors import ServiceError
from service.inference.predictor import Predictor
from service.store.database import Database

if TYPE_CHECKING:
    from service.contexts.service import ContextService

Answer = dict[str, object]
"""The answer to one request, as JSON."""


class ContextBatches:
    """Batches of requests to contexts.

    Args:
        contexts: The contexts.
        database: Has their rows.
        predictor: Has the models and the limits.
        clock: Returns the seconds since 1970.
        readouts: Keeps the readouts of states.
    """

    def __init__(
        self,
        contexts: "ContextService",
        database: Database,
        predictor: Predictor,
        clock: Callable[[], float],
        readouts: ReadoutCache,
    ) -> None:
        self._contexts = contexts
        self._database = database
        self._predictor = predictor
        self._clock = clock
        self._readouts = readouts

    @property
    def _repository(self) -> ContextRepository:
        return self._contexts.repository

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
        part = None if key is None else part_key(key, number)
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
        results = predict_each(contexts, requests, self._predictor.limits, self._readouts)
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
        """
        return ids_of(
            self._database, self._repository, owner, names, None if create is None else self._empty(owner, create)
        )

    def _empty(self, owner: str, spec: ContextSpec) -> EmptyContext:
        like = None if spec.like is None else self._repository.load(owner, spec.like)
        return EmptyContext(*empty_context(self._predictor, spec, like), spec)


def part_key(key: str, number: int) -> str:
    """Make the key of one transaction of a request; no caller sends one like it."""
    return f"batch {number} {hashlib.sha256(key.encode()).hexdigest()}"
