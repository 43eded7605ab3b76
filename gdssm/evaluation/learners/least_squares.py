"""Least squares."""

from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.learners.linear_learner import LinearLearner


@dataclass(frozen=True)
class LeastSquares(LinearLearner):
    """The W of lowest observed squared error, and of those the one of minimum norm.

    Without noise it is right as soon as N ≥ D; with noise and N near D it can be worse than zero.
    """

    def weights(self, x: Array, y: Array) -> Array:
        """Solve each task: W (B, D, K)."""
        rounding = max(x.shape[1:]) * np.finfo(np.float64).eps
        return np.linalg.pinv(x, rcond=rounding) @ y
