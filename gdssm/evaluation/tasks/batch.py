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
    noisy_y_query: Array | None = None
    """Observations at the queries (B, M, K), where an observation is y with noise; None where it has none."""

    def __post_init__(self) -> None:
        require_context(self.x, self.y, self.x_query)
        expected = (*self.x_query.shape[:2], self.y.shape[2])
        for name, array in (("y_query", self.y_query), ("noisy_y_query", self.noisy_y_query)):
            if array is not None and array.shape != expected:
                raise ValueError(f"{name} has shape {array.shape}; x_query and y ask for (B, M, K) = {expected}.")

    @property
    def observable(self) -> Array:
        """Observations at the queries (B, M, K): a predictive interval is about these, and not about the function."""
        return self.y_query if self.noisy_y_query is None else self.noisy_y_query
