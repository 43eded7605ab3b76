"""Conjugate gradient steps."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.learners.linear_learner import LinearLearner


@dataclass(frozen=True)
class ConjugateGradient(LinearLearner):
    """K conjugate gradient steps from W₀ = 0 on XᵀX W = Xᵀy, for each output on its own (Hestenes and Stiefel 1952).

    No K gradient steps, whatever their rates, bring the observed squared error lower; min(N, D) steps reach least
    squares.

    Raises:
        ValueError: if there is no step.
    """

    steps: int = 1
    """The number of steps."""

    def __post_init__(self) -> None:
        require_positive(steps=self.steps)

    def weights(self, x: Array, y: Array) -> Array:
        """Step on each task and output: W (B, D, K)."""
        transposed = x.transpose(0, 2, 1)
        residual: Array = transposed @ y
        W, direction, size = np.zeros_like(residual), residual, _square(residual)
        arrived = size * (max(x.shape[1:]) * np.finfo(np.float64).eps) ** 2
        for _ in range(self.steps):
            moving = size > arrived
            length = _ratio(size, _square(x @ direction), moving)
            W = W + length * direction
            residual = residual - length * (transposed @ (x @ direction))
            previous, size = size, _square(residual)
            direction = residual + _ratio(size, previous, moving) * direction
        return W


def _square(columns: Array) -> Array:
    """The squared length of each column: (B, D, K) gives (B, 1, K)."""
    squares: Array = np.sum(columns**2, axis=1, keepdims=True)
    return squares


def _ratio(a: Array, b: Array, moving: npt.NDArray[np.bool_]) -> Array:
    """a/b, and 0 for a column that has arrived: it stays, where rounding would be amplified."""
    return np.divide(a, b, out=np.zeros_like(a), where=moving)
