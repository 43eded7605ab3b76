"""What every learner and every model offers."""

from collections.abc import Sequence
from typing import Protocol

from gdssm.evaluation.arrays import Array


class Learner(Protocol):
    """Something that predicts from a context."""

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """Answer the queries of each task from its observations.

        Args:
            x: observed inputs (B, N, D).
            y: observed outputs (B, N, K).
            x_query: inputs to predict for (B, M, D).

        Returns:
            Predictions (B, M, K).

        Raises:
            ValueError: naming the array whose shape does not fit the others.
        """
        ...


class IntervalLearner(Learner, Protocol):
    """A learner that gives predictive intervals too."""

    def intervals(self, x: Array, y: Array, x_query: Array, levels: Sequence[float]) -> Array:
        """Bound what an observation at each query would be.

        Args:
            x: observed inputs (B, N, D).
            y: observed outputs (B, N, K).
            x_query: inputs to predict for (B, M, D).
            levels: the probabilities that the intervals are meant to hold, L of them.

        Returns:
            Lower and upper bounds (L, 2, B, M, K), equal tails; NaN where there is no interval.

        Raises:
            ValueError: as `predict`.
        """
        ...
