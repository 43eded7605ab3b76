"""Contexts that live on the server: each a state of constant size, under a name, in the database."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.predictor import Context, Prediction, Predictor
from service.shapes import Array
from service.store.database import Database


@dataclass(frozen=True)
class ContextRecord:
    """What is known of a context beside its state."""

    id: str
    model: str
    model_version: str
    decay: float | None
    n_observations: int
    """Rows observed, whatever their weights."""
    inputs: int | None
    """D; None until the first observation, where the model does not fix it."""
    outputs: int | None
    """K, likewise."""
    version: int
    """One more with every change; the ETag."""
    ttl: int
    created: float
    updated: float
    expires: float


@dataclass(frozen=True)
class Page:
    """Some of a caller's contexts, oldest first."""

    contexts: tuple[ContextRecord, ...]
    after: str | None
    """Where the next page begins; None at the end."""


@dataclass(frozen=True)
class Change:
    """The terms on which a change is made."""

    idempotency_key: str | None = None
    """A change asked for twice under one key is made once."""
    if_version: int | None = None
    """The change is made to this version of the context only."""


@dataclass(frozen=True)
class StreamStep:
    """What a live stream answers to one message: predicted first, then learnt."""

    prediction: Array | None
    error: Array | None
    """y − prediction, before y was learnt."""
    record: ContextRecord


UNCONDITIONAL = Change()


class Contexts:
    """Makes, feeds, asks, joins and removes contexts; every change is one transaction.

    Args:
        database: Where they live.
        predictor: Has the models and the limits.
        max_contexts: Most that one owner may keep.
        ttl: Seconds that a context is kept after its last use, unless it says otherwise.
    """

    def __init__(self, database: Database, predictor: Predictor, max_contexts: int, ttl: int) -> None:
        self._database = database
        self._predictor = predictor
        self._max_contexts = max_contexts
        self._ttl = ttl

    def create(
        self,
        owner: str,
        model: str | None,
        first: Context | None = None,
        *,
        version: str | None = None,
        decay: float | None = None,
        ttl: int | None = None,
        change: Change = UNCONDITIONAL,
    ) -> ContextRecord:
        """Make a context, empty or with its first observations."""
        raise NotImplementedError

    def observe(self, owner: str, context_id: str, new: Context, change: Change = UNCONDITIONAL) -> ContextRecord:
        """Learn further observations; negative weights take observations out again."""
        raise NotImplementedError

    def predict(
        self, owner: str, context_id: str, query: Array, parameters: Mapping[str, float] | None = None
    ) -> tuple[Prediction, ContextRecord]:
        """Answer queries from what the context has seen; it does not change (but is kept for its ttl anew)."""
        raise NotImplementedError

    def step(self, owner: str, context_id: str, new: Context | None, query: Array | None) -> StreamStep:
        """Predict (at the query, else at the x of the observation), then learn the observation, in one transaction."""
        raise NotImplementedError

    def get(self, owner: str, context_id: str) -> ContextRecord:
        """Look a context up."""
        raise NotImplementedError

    def list(self, owner: str, limit: int, after: str | None = None) -> Page:
        """List a caller's contexts, oldest first."""
        raise NotImplementedError

    def delete(self, owner: str, context_id: str, change: Change = UNCONDITIONAL) -> None:
        """Forget a context."""
        raise NotImplementedError

    def merge(self, owner: str, context_id: str, other_id: str, change: Change = UNCONDITIONAL) -> ContextRecord:
        """Add to a context what another one of the same model has seen, as if after it; the other stays as it is."""
        raise NotImplementedError

    def export(self, owner: str, context_id: str) -> bytes:
        """Write a context down as portable bytes (see `portable`)."""
        raise NotImplementedError

    def load(
        self, owner: str, portable: bytes, *, ttl: int | None = None, change: Change = UNCONDITIONAL
    ) -> ContextRecord:
        """Make a context of portable bytes."""
        raise NotImplementedError

    def implicit_weights(self, owner: str, context_id: str) -> None:
        """The linear model that the context amounts to (see `explanation`)."""
        raise NotImplementedError

    def sweep(self) -> int:
        """Remove what has expired; returns how many contexts."""
        raise NotImplementedError
