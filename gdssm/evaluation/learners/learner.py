"""What every learner and every model offers."""

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
