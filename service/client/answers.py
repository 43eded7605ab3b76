"""Predictions and pages, as methods of the client return them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from service.explaining.terms import Explanation

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class PredictionResult:
    """The predictions for M queries, and the model that made them."""

    prediction: Any
    """(M,), or (M, K) where y is rows: a list, an array, a series or a frame, as the query was."""
    model: str
    version: str
    """Of the model."""
    sha256: str
    """The content hash of the model's file."""
    n_observations: int
    explanation: Explanation | None = None
    """The parts that `explain` requested."""
    context_version: int | None = None
    """The version of the stored context; None for a context in the request."""
    lower: Any = None
    """The lower bounds of `interval`, as the prediction; NaN after a single observation."""
    upper: Any = None
    quantiles: tuple[Any, ...] = ()
    """For each probability of `quantiles`, values as the prediction."""
    notes: tuple[str, ...] = ()
    """Codes of notes on the predictions: see the service's documentation of `notes`."""


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list, oldest first."""

    items: tuple[Item, ...]
    after: str | None
    """Where the next page begins; None at the end."""

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
