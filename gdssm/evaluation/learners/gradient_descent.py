"""K steps of gradient descent from W₀ = 0."""

from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_not_negative, require_positive
from gdssm.evaluation.learners.linear_learner import LinearLearner


@dataclass(frozen=True)
class GradientDescent(LinearLearner):
    """W ← W − η ∇L(W), L(W) = 1/(2N) Σ ‖y_i − Wᵀx_i‖²: what the paper's layers do, one layer a step.

    Raises:
        ValueError: if there is no step, a rate is negative, or there is not one rate for each step.
    """

    learning_rate: float | tuple[float, ...]
    """η: one for all steps, or one for each in turn."""
    steps: int = 1
    """The number of steps."""

    def __post_init__(self) -> None:
        step_rates(self.learning_rate, self.steps)

    def weights(self, x: Array, y: Array) -> Array:
        """Descend on each task: W (B, D, K)."""
        W = np.zeros((x.shape[0], x.shape[2], y.shape[2]))
        for rate in step_rates(self.learning_rate, self.steps):
            W -= rate * squared_error_gradient(x, y, W)
        return W


def step_rates(learning_rate: float | tuple[float, ...], steps: int) -> tuple[float, ...]:
    """Spell out one learning rate for each step.

    Args:
        learning_rate: one for all steps, or one for each.
        steps: the number of steps.

    Returns:
        As many rates as steps.

    Raises:
        ValueError: if there is no step, a rate is negative, or their number is another.
    """
    require_positive(steps=steps)
    rates = learning_rate if isinstance(learning_rate, tuple) else (learning_rate,) * steps
    if len(rates) != steps:
        raise ValueError(f"learning_rate has {len(rates)} entries for {steps} steps; give one, or one for each step.")
    for rate in rates:
        require_not_negative(learning_rate=rate)
    return rates


def squared_error_gradient(x: Array, y: Array, weights: Array) -> Array:
    """The gradient of 1/(2N) Σ ‖y_i − Wᵀx_i‖² with respect to W.

    Args:
        x: inputs (B, N, D).
        y: outputs (B, N, K).
        weights: W (B, D, K).

    Returns:
        The gradient (B, D, K); zero if N = 0.
    """
    gradient: Array = x.transpose(0, 2, 1) @ (x @ weights - y) / max(x.shape[1], 1)
    return gradient
