"""Gradient descent through a matrix that all tasks share."""

from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.learners.gradient_descent import squared_error_gradient, step_rates
from gdssm.evaluation.learners.linear_learner import LinearLearner
from gdssm.evaluation.tasks.batch import Batch


@dataclass(frozen=True, eq=False)
class PreconditionedDescent(LinearLearner):
    """W ← W − η P ∇L(W): what a trained layer finds when the inputs of all tasks share a covariance (Ahn et al. 2023).

    Raises:
        ValueError: as `GradientDescent`, or if P is not a square matrix; on use, if P does not fit x.
    """

    preconditioner: Array
    """P (D, D)."""
    learning_rate: float | tuple[float, ...] = 1.0
    """η: one for all steps, or one for each in turn."""
    steps: int = 1
    """The number of steps."""

    def __post_init__(self) -> None:
        step_rates(self.learning_rate, self.steps)
        shape = self.preconditioner.shape
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(f"preconditioner has shape {shape}; give a square matrix (D, D).")

    def weights(self, x: Array, y: Array) -> Array:
        """Descend on each task: W (B, D, K)."""
        if len(self.preconditioner) != x.shape[2]:
            raise ValueError(f"preconditioner is for {len(self.preconditioner)} inputs; x has {x.shape[2]}.")
        W = np.zeros((x.shape[0], x.shape[2], y.shape[2]))
        for rate in step_rates(self.learning_rate, self.steps):
            W -= rate * self.preconditioner @ squared_error_gradient(x, y, W)
        return W


def best_preconditioner(batch: Batch) -> Array:
    """Find the matrix whose single step (η = 1) has the lowest loss on sampled tasks.

    One step predicts x_queryᵀ P g with g = (1/N) Σ x_i y_i, which is linear in P: a least-squares problem.

    Args:
        batch: sampled tasks; more than D² queries in all, if the answer is to be unique.

    Returns:
        P (D, D).
    """
    gradient = batch.x.transpose(0, 2, 1) @ batch.y / max(batch.x.shape[1], 1)
    products = np.einsum("bmi,bjk->bmkij", batch.x_query, gradient)
    inputs = batch.x.shape[2]
    solution, *_ = np.linalg.lstsq(products.reshape(-1, inputs**2), batch.y_query.reshape(-1), rcond=None)
    return np.asarray(solution.reshape(inputs, inputs), dtype=np.float64)
