"""Reference learners; each has the call of a model, `predict(x, y, x_query)`, for all tasks at once.

Mean, Zero                                          baselines
FixedRateDescent, ConjugateGradient, NewtonSchulz   iterations towards least squares
LeastSquares, RidgeRegression                       their limits
OnFeatures                                          any learner on features of x
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gdssm.arrays import Array
from gdssm.evaluation.checks import require_context, require_not_negative, require_positive


class Learner(Protocol):
    """Predicts from a context."""

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """Predict the outputs of the queries of each task.

        Args:
            x: Observed inputs (B, N, D).
            y: Observed outputs (B, N, K).
            x_query: Inputs to predict for (B, M, D).

        Returns:
            Predictions (B, M, K).

        Raises:
            ValueError: The shape of an array does not fit the others; the message names it.
        """
        ...


class IntervalLearner(Learner, Protocol):
    """A learner with predictive intervals."""

    def intervals(self, x: Array, y: Array, x_query: Array, levels: Sequence[float]) -> Array:
        """Return lower and upper bounds (L, 2, B, M, K) of observations at the queries; otherwise as `predict`.

        The intervals have equal tails and the given L probabilities; NaN where there is none.
        """
        ...


@dataclass(frozen=True)
class Mean:
    """The mean of the observed outputs for any query; zero if nothing is observed."""

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """See `Learner.predict`."""
        require_context(x, y, x_query)
        mean = y.sum(axis=1, keepdims=True) / max(y.shape[1], 1)
        return np.repeat(mean, x_query.shape[1], axis=1)


@dataclass(frozen=True)
class Zero:
    """Zero for any query: the prediction of W₀ = 0."""

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """See `Learner.predict`."""
        require_context(x, y, x_query)
        return np.zeros((*x_query.shape[:2], y.shape[2]))


class LinearLearner(ABC):
    """A learner that predicts Wᵀx_query; Wᵀ is its sensitivity at every query."""

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """See `Learner.predict`."""
        require_context(x, y, x_query)
        return x_query @ self.weights(x, y)

    @abstractmethod
    def weights(self, x: Array, y: Array) -> Array:
        """Return W (B, D, K) for x (B, N, D) and y (B, N, K); zero if nothing is observed (N = 0)."""


@dataclass(frozen=True)
class FixedRateDescent(LinearLearner):
    """W ← W − η ∇L(W) from W₀ = 0, L(W) = 1/(2N) Σ ‖y_i − Wᵀx_i‖²: the paper's layers, one step a layer.

    Raises:
        ValueError: There is no step, a rate is negative, or there is not one rate for each step.
    """

    learning_rate: float | tuple[float, ...]
    """η: one for all steps, or one for each in turn."""
    steps: int = 1

    def __post_init__(self) -> None:
        require_positive(steps=self.steps)
        if len(self.rates) != self.steps:
            raise ValueError(
                f"learning_rate has {len(self.rates)} entries for {self.steps} steps; give one, or one for each step."
            )
        for rate in self.rates:
            require_not_negative(learning_rate=rate)

    @property
    def rates(self) -> tuple[float, ...]:
        """One learning rate for each step."""
        return self.learning_rate if isinstance(self.learning_rate, tuple) else (self.learning_rate,) * self.steps

    def weights(self, x: Array, y: Array) -> Array:
        """See `LinearLearner.weights`."""
        W = np.zeros((x.shape[0], x.shape[2], y.shape[2]))
        for rate in self.rates:
            W -= rate * squared_error_gradient(x, y, W)
        return W


def squared_error_gradient(x: Array, y: Array, weights: Array) -> Array:
    """The gradient (B, D, K) of 1/(2N) Σ ‖y_i − Wᵀx_i‖² at W (B, D, K); zero if N = 0."""
    gradient: Array = x.transpose(0, 2, 1) @ (x @ weights - y) / max(x.shape[1], 1)
    return gradient


@dataclass(frozen=True)
class _Iteration(LinearLearner, ABC):
    steps: int = 1

    def __post_init__(self) -> None:
        require_positive(steps=self.steps)


@dataclass(frozen=True)
class ConjugateGradient(_Iteration):
    """K conjugate gradient steps from W₀ = 0 on XᵀX W = Xᵀy, for each output separately (Hestenes and Stiefel 1952).

    No K gradient steps, whatever their rates, have a lower observed squared error; min(N, D) steps reach least squares.
    """

    def weights(self, x: Array, y: Array) -> Array:
        """See `LinearLearner.weights`."""
        transposed = x.transpose(0, 2, 1)
        residual: Array = transposed @ y
        W, direction, size = np.zeros_like(residual), residual, _square(residual)
        converged = size * (max(x.shape[1:]) * np.finfo(np.float64).eps) ** 2
        for _ in range(self.steps):
            moving = size > converged
            length = _ratio(size, _square(x @ direction), moving)
            W = W + length * direction
            residual = residual - length * (transposed @ (x @ direction))
            previous, size = size, _square(residual)
            direction = residual + _ratio(size, previous, moving) * direction
        return W


def _square(columns: Array) -> Array:
    """The squared length of each column: (B, D, K) to (B, 1, K)."""
    squares: Array = np.sum(columns**2, axis=1, keepdims=True)
    return squares


def _ratio(a: Array, b: Array, moving: npt.NDArray[np.bool_]) -> Array:
    """a/b, and 0 for a converged column: a further step would amplify rounding."""
    return np.divide(a, b, out=np.zeros_like(a), where=moving)


@dataclass(frozen=True)
class NewtonSchulz(_Iteration):
    """W = M_K Xᵀy, M ← 2M − M S M from M₀ = S/‖S‖²_F, S = XᵀX (Schulz 1933; Fu et al. 2023 for its use here).

    Along an eigenvector of S with eigenvalue λ the error after K steps is (1 − λ²/‖S‖²_F)^(2^K): the exponent doubles
    where gradient descent adds one. The limit is least squares of minimum norm.
    """

    def weights(self, x: Array, y: Array) -> Array:
        """See `LinearLearner.weights`."""
        transposed = x.transpose(0, 2, 1)
        S = transposed @ x
        size = np.sum(S**2, axis=(1, 2), keepdims=True)
        inverse = np.divide(S, size, out=np.zeros_like(S), where=size > 0)
        for _ in range(self.steps):
            inverse = 2 * inverse - inverse @ S @ inverse
        W: Array = inverse @ (transposed @ y)
        return W


@dataclass(frozen=True)
class LeastSquares(LinearLearner):
    """The W of lowest observed squared error, and of those the one of minimum norm.

    Exact without noise from N = D on; with noise and N near D it can be worse than zero.
    """

    def weights(self, x: Array, y: Array) -> Array:
        """See `LinearLearner.weights`."""
        rounding = max(x.shape[1:]) * np.finfo(np.float64).eps
        return np.linalg.pinv(x, rcond=rounding) @ y


@dataclass(frozen=True)
class RidgeRegression(LinearLearner):
    """W = (XᵀX + λI)⁻¹ Xᵀy. λ is added to the sum XᵀX, not to the mean XᵀX/N.

    Raises:
        ValueError: The strength is not positive.
    """

    strength: float
    """λ."""

    def __post_init__(self) -> None:
        require_positive(strength=self.strength)

    def weights(self, x: Array, y: Array) -> Array:
        """See `LinearLearner.weights`."""
        transposed = x.transpose(0, 2, 1)
        covariance: Array = transposed @ x + self.strength * np.eye(x.shape[2])
        return np.asarray(np.linalg.solve(covariance, transposed @ y), dtype=np.float64)


@dataclass(frozen=True)
class OnFeatures:
    """A learner on a fixed feature map: the paper's non-linear model with a given map."""

    learner: Learner
    features: Callable[[Array], Array]
    """From inputs (B, N, D) to features (B, N, F)."""

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """See `Learner.predict`."""
        require_context(x, y, x_query)
        return self.learner.predict(self.features(x), y, self.features(x_query))
