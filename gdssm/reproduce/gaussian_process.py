"""Gaussian processes: the best linear estimate for a mean and a covariance.

For a sine a·sin(x + φ) with a and φ independent and φ ~ U(0, π), both are known in closed form:

    m(x) = E[a] · (2/π) cos x
    k(x, x′) = E[a²]/2 · cos(x − x′) − m(x) m(x′)

because E sin(x + φ) = (2/π) cos x, and E sin(x + φ) sin(x′ + φ) = ½ cos(x − x′) − ½ E cos(x + x′ + 2φ), where the last
term is zero because 2φ covers a full period. So k has rank two, and two observations without noise determine the sine.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gdssm.arrays import Array
from gdssm.evaluation.checks import require_context
from gdssm.evaluation.tasks.nonlinear import Sine

Covariance = Callable[[Array, Array], Array]
"""From x (B, N, 1) and x′ (B, M, 1) to (B, N, M)."""
JITTER = 1e-8
"""Added to the diagonal, relative to a variance of about 1, so that the system can be solved."""


@dataclass(frozen=True)
class GaussianProcess:
    """The posterior mean m(x*) + k(x*, X) (k(X, X) + εI)⁻¹ (y − m(X))."""

    mean: Callable[[Array], Array]
    covariance: Covariance
    jitter: float = JITTER

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """See `Learner.predict`."""
        require_context(x, y, x_query)
        observed = self.covariance(x, x) + self.jitter * np.eye(x.shape[1])
        answer: Array = self.mean(x_query) + self.covariance(x_query, x) @ np.linalg.solve(observed, y - self.mean(x))
        return answer


def sine_process(task: Sine) -> GaussianProcess:
    """Make the process with the mean and covariance of a sine task, whose phase must be U(0, π)."""
    if task.phase != (0.0, math.pi):
        raise ValueError(f"phase is {task.phase}; the closed form is for (0, π).")
    low, high = task.amplitude
    first, second = (low + high) / 2, (low * low + low * high + high * high) / 3

    def mean(x: Array) -> Array:
        averaged: Array = first * 2 / math.pi * np.cos(x)
        return averaged

    def covariance(x: Array, other: Array) -> Array:
        between: Array = second / 2 * np.cos(x - other.mT) - mean(x) * mean(other).mT
        return between

    return GaussianProcess(mean, covariance)


def smooth_process(length: float) -> GaussianProcess:
    """Make the process with mean zero and the squared exponential covariance k = exp(−(x − x′)²/2ℓ²)."""

    def covariance(x: Array, other: Array) -> Array:
        between: Array = np.exp(-(((x - other.mT) / length) ** 2) / 2)
        return between

    return GaussianProcess(np.zeros_like, covariance)
