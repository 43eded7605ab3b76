"""A context as its owner sees it, and the conditions of a change."""

from dataclasses import dataclass

from service.column_names import NO_NAMES, ColumnNames
from service.contexts.decay_setting import Decay
from service.contexts.state import ContextState
from service.explaining.terms import ImplicitWeights
from service.inference.predictor import Prediction
from service.inference.runtime import Runtime
from service.inference.sizes import Array

CONTEXT_BYTES = 2**12
"""Approximate bytes of a loaded context without its tensors and names."""
NAME_BYTES = 80
"""Approximate bytes of the name of a column without its characters."""


@dataclass(frozen=True)
class ContextRecord:
    """A context without its state."""

    id: str
    """Later contexts have greater ids."""
    model: str
    model_version: str
    decay: Decay
    """Factor on the weight of every observation after one more; None forgets nothing."""
    n_observations: int
    """Rows observed, whatever their weights."""
    inputs: int | None
    """D; None until the first observation, where the model does not fix it."""
    outputs: int | None
    """K; None until the first observation, where the model does not fix it."""
    version: int
    """One more with every change; the ETag."""
    ttl: int
    """Seconds that it is kept after its last use."""
    created: float
    """Seconds since 1970, as the next two."""
    updated: float
    expires: float
    memory_length: float | None = None
    """Effective number of observations that are remembered, where the decay is auto."""
    columns: ColumnNames = NO_NAMES
    """Names of the columns of x and y; a page leaves them out."""


@dataclass(frozen=True)
class LoadedContext:
    """A context with its state and its model."""

    record: ContextRecord
    state: ContextState
    runtime: Runtime

    @property
    def size(self) -> int:
        """Approximate bytes in memory."""
        names = (*(self.state.columns.x or ()), *(self.state.columns.y or ()))
        texts = 2 * sum(NAME_BYTES + 4 * len(name) for name in names)  # in the record too
        return CONTEXT_BYTES + texts + sum(tensor.nbytes for tensor in (self.state.tensors or {}).values())


@dataclass(frozen=True)
class ContextDetails:
    """A context, with what its state shows."""

    record: ContextRecord
    weights: ImplicitWeights | None = None
    """The linear model that it amounts to; None while it is empty, and where its model has none."""
    digits_left: int | None = None
    """Significant digits of the variation of the column that has fewest; None where none varies or none can be lost."""


@dataclass(frozen=True)
class RecordPage:
    """Some of a caller's contexts, oldest first."""

    contexts: tuple[ContextRecord, ...]
    after: str | None
    """Where the next page begins; None at the end."""


@dataclass(frozen=True)
class Change:
    """The conditions of a change."""

    idempotency_key: str | None = None
    """A change requested twice under one key is made once."""
    if_version: int | None = None
    """The change applies to this version of the context only."""


UNCONDITIONAL = Change()


@dataclass(frozen=True)
class StreamStep:
    """What a live stream answers to one message: predicted first, then learnt."""

    prediction: Prediction | None
    """At the query; None while the context is empty."""
    error: Array | None
    """(N,) or (N, K), y − the prediction at its x, before y was learnt; None while the context is empty,
    or without an observation."""
    record: ContextRecord
