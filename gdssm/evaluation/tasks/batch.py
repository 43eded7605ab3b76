"""The sampled tasks."""

from dataclasses import dataclass

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_context


@dataclass(frozen=True, eq=False)
class Batch:
    """B regression tasks: what is shown and what is asked.

    Raises:
        ValueError: naming the array whose shape does not fit the others.
    """

    x: Array
    """Observed inputs (B, N, D)."""
    y: Array
    """Observed outputs (B, N, K)."""
    x_query: Array
    """Inputs to predict for (B, M, D)."""
    y_query: Array
    """The right answers (B, M, K)."""

    def __post_init__(self) -> None:
        require_context(self.x, self.y, self.x_query)
        expected = (*self.x_query.shape[:2], self.y.shape[2])
        if self.y_query.shape != expected:
            raise ValueError(f"y_query has shape {self.y_query.shape}; x_query and y ask for (B, M, K) = {expected}.")
