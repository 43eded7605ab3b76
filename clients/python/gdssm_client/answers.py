"""Predictions and pages, as methods of the client return them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gdssm_client.explanations import Explanation
from gdssm_client.schemas import ColumnAnswer, FindingAnswer, TableNote

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


@dataclass(frozen=True, eq=False)
class TablePredictionResult:
    """The predictions for rows of a table, and the use of each column."""

    prediction: Any
    """(M,): numbers or classes; a series with the index of the rows where they are a frame, else a list."""
    model: str
    version: str
    """Of the model."""
    sha256: str
    """The content hash of the model's file."""
    n_observations: int
    """Rows that were learnt from."""
    rows: tuple[int, ...]
    """The numbers of the predicted rows, from 0: in the query, or else in the table."""
    keys: Mapping[str, Sequence[Any]]
    """The columns that name the predicted rows."""
    schema: Mapping[str, Any]
    """What became of each column, for a later request."""
    columns: tuple[ColumnAnswer, ...]
    """The same in words."""
    findings: tuple[FindingAnswer, ...]
    """Cells that are not as the schema has them."""
    lower: Any = None
    """The lower bounds of `interval`, as the prediction; NaN after a single observation."""
    upper: Any = None
    quantiles: tuple[Any, ...] = ()
    """For each probability of `quantiles`, values as the prediction."""
    classes: tuple[str, ...] = ()
    """The names of the K classes; none for numbers."""
    probabilities: Any = None
    """(M, K): a frame where the rows are one, else lists."""
    notes: tuple[TableNote, ...] = ()
    """Notes on the predictions."""


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
