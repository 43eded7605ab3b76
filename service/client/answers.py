"""What the service answers, as small frozen objects; fields that a later service adds are passed over."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from service.evaluations.result import ScoreView
from service.explaining.terms import Block, Effects, Pair

Array = NDArray[np.float64]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Explanation:
    """Why predictions are what they are; what was not asked for is None."""

    weights: Array | None
    """(D,), or (D, K) where y is rows: prediction = query · weights + intercept, for queries without a note
    `beyond_observations`."""
    intercept: Array | None
    """(), or (K,)."""
    contributions: Array | None
    """(M, N), or (M, N, K): what each observation adds to each prediction."""
    effects: Effects | None = None
    """What each column of x adds to predictions, along its values."""
    pairs: tuple[Pair, ...] | None = None
    """The strongest products of two columns, the strongest first."""
    blocks: tuple[Block, ...] | None = None
    """How probable each block of features is, by evidence, and how much it adds."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """The answer to M queries, and who gave it."""

    prediction: Any
    """(M,), or (M, K) where y is rows: a list, an array, a series or a frame, as the query was."""
    model: str
    version: str
    """Of the model."""
    sha256: str
    """The content hash of the model's file."""
    n_observations: int
    explanation: Explanation | None = None
    """What `explain` asked for."""
    context_version: int | None = None
    """Of the context that answered; None if it came with the request."""
    lower: Any = None
    """The interval's lower bounds if `interval` asked for one, as the prediction; NaN after a single observation."""
    upper: Any = None
    quantiles: tuple[Any, ...] = ()
    """For each probability that `quantiles` asked for, values as the prediction."""
    notes: tuple[str, ...] = ()
    """What there is to know about the predictions, as codes: see the service's documentation of `notes`."""


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some of many, oldest first."""

    items: tuple[Item, ...]
    after: str | None
    """Where the next page begins; None at the end."""

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class ResponseModel(BaseModel):
    """A record as it was when the service told of it."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class ModelReference(ResponseModel):
    """A model by name and version."""

    name: str
    version: str


class ImplicitWeights(ResponseModel):
    """The linear model that a context amounts to."""

    weights: list[float] | list[list[float]]
    """D numbers, or D rows of K numbers."""
    intercept: float | list[float]


class ColumnNames(ResponseModel):
    """Names of the columns of a context, None where they have none."""

    x: tuple[str, ...] | None
    y: tuple[str, ...] | None


class ContextRecord(ResponseModel):
    """A context without its state."""

    id: str
    model: ModelReference
    decay: float | Literal["auto"] | None
    """What is left of the weight of every observation after one more; None forgets nothing."""
    n_observations: int
    inputs: int | None
    """D; None until the first observation."""
    outputs: int | None
    """K; likewise."""
    version: int
    """One more with every change."""
    ttl: int
    """Seconds that it is kept after its last use."""
    created: datetime
    updated: datetime
    expires: datetime
    memory_length: float | None = None
    """With decay "auto" the effective number of observations that are remembered."""
    columns: ColumnNames | None = None
    """Names of its columns, if it has any; lists leave them out."""
    implicit_weights: ImplicitWeights | None = None
    """Returned by `refresh` and `get`, where the model has them."""
    digits_left: int | None = None
    """Returned by `refresh` and `get`: significant digits of the variation of the column that has fewest."""


class ContextList(ResponseModel):
    """A page as it is sent."""

    contexts: tuple[ContextRecord, ...]
    after: str | None


class ModelSummary(ResponseModel):
    """A served model in short."""

    name: str
    version: str
    summary: str
    task: str
    origin: str
    sha256: str
    dims: dict[str, int | str]
    gradient_steps: int
    gives_scale: bool = False
    """Whether it answers `interval` and `quantiles`."""


class ModelList(ResponseModel):
    """Every version of every model in service."""

    default: str
    models: tuple[ModelSummary, ...]


class EvaluatedModel(ModelReference):
    """A model as it was when the evaluation was asked for."""

    sha256: str


class EvaluationRecord(ResponseModel):
    """An evaluation; its results are told by `refresh` and `get`."""

    id: str
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    suite: str
    models: tuple[EvaluatedModel, ...]
    seed: int
    done: int
    """Results so far."""
    total: int
    reason: str | None
    """Why it failed."""
    created: datetime
    finished: datetime | None
    results: tuple[ScoreView, ...] = ()

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will come."""
        return self.status not in {"queued", "running"}


class EvaluationList(ResponseModel):
    """A page as it is sent."""

    evaluations: tuple[EvaluationRecord, ...]
    after: str | None
