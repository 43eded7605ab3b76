"""Newton's iteration for the inverse covariance."""

from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.learners.linear_learner import LinearLearner


@dataclass(frozen=True)
class NewtonSchulz(LinearLearner):
    """W = M_K Xᵀy, M ← 2M − M S M from M₀ = S/‖S‖²_F, S = XᵀX (Schulz 1933; Fu et al. 2023 for its use here).

    Along an eigenvector of S with eigenvalue λ the error after K steps is (1 − λ²/‖S‖²_F)^(2^K): the exponent doubles
    where gradient descent adds one. It leads to least squares of minimum norm.

    Raises:
        ValueError: if there is no step.
    """

    steps: int = 1
    """The number of steps."""

    def __post_init__(self) -> None:
        require_positive(steps=self.steps)

    def weights(self, x: Array, y: Array) -> Array:
        """Iterate on each task: W (B, D, K)."""
        transposed = x.transpose(0, 2, 1)
        S = transposed @ x
        size = np.sum(S**2, axis=(1, 2), keepdims=True)
        inverse = np.divide(S, size, out=np.zeros_like(S), where=size > 0)
        for _ in range(self.steps):
            inverse = 2 * inverse - inverse @ S @ inverse
        W: Array = inverse @ (transposed @ y)
        return W
