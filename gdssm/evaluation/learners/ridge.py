"""Ridge regression."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.learners.linear_learner import LinearLearner


@dataclass(frozen=True)
class Ridge(LinearLearner):
    """W = (XᵀX + λI)⁻¹ Xᵀy. λ is added to the sum XᵀX, not to the mean XᵀX/N.

    Raises:
        ValueError: if the strength is not positive.
    """

    strength: float
    """λ."""

    def __post_init__(self) -> None:
        require_positive(strength=self.strength)

    @classmethod
    def bayes(cls, noise: float, weight_scale: float = 1.0) -> Self:
        """The posterior mean: λ = σ²/s², below which no learner's expected loss can be (Akyürek et al. 2022).

        Args:
            noise: σ, the standard deviation of the noise on y; without noise `LeastSquares` is the posterior mean.
            weight_scale: s, the standard deviation of a weight.

        Returns:
            The ridge regression of this strength.

        Raises:
            ValueError: if either is not positive.
        """
        require_positive(noise=noise, weight_scale=weight_scale)
        return cls(strength=noise**2 / weight_scale**2)

    def weights(self, x: Array, y: Array) -> Array:
        """Solve each task: W (B, D, K)."""
        transposed = x.transpose(0, 2, 1)
        covariance: Array = transposed @ x + self.strength * np.eye(x.shape[2])
        return np.asarray(np.linalg.solve(covariance, transposed @ y), dtype=np.float64)
