"""Learners whose answer is a weight matrix."""

from abc import ABC, abstractmethod

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_context


class LinearLearner(ABC):
    """A learner that predicts Wᵀx_query; Wᵀ is its sensitivity at every query."""

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """Answer the queries, as `Learner.predict` says."""
        require_context(x, y, x_query)
        return x_query @ self.weights(x, y)

    @abstractmethod
    def weights(self, x: Array, y: Array) -> Array:
        """Learn W (B, D, K) from x (B, N, D) and y (B, N, K); zero if nothing is observed (N = 0)."""
