"""The loss of gradient descent as a function of its learning rates alone.

K steps with rates η₁ … η_K from W₀ = 0 give W = p(S) g with S = XᵀX/N, g = Xᵀy/N and the polynomial

    p(λ) = (1 − Π_k (1 − η_k λ)) / λ

of degree K − 1. It is fixed by its values at K nodes, and the prediction is linear in these values. So a batch of
tasks, of any size, leaves K² + K + 1 numbers, and the loss at any rates is a quadratic form in them: exact, and no
task is looked at twice. The nodes are Chebyshev's on (0, largest eigenvalue), which keeps interpolation
well-conditioned for tens of steps where powers of λ would lose all digits.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.polynomial.chebyshev import chebvander

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.batch import Batch


@dataclass(frozen=True, eq=False)
class RateLoss:
    """½ · mean squared error of K-step gradient descent on a batch, as a function of the K rates."""

    nodes: Array
    """Eigenvalues λ at which p is evaluated (K,)."""
    gram: Array
    """Mean products (K, K) of what the nodes contribute to a prediction."""
    projection: Array
    """Their mean products (K,) with the right answer."""
    energy: float
    """The mean square of the right answer."""

    @classmethod
    def of(cls, batch: Batch, steps: int) -> Self:
        """Reduce a batch to what the rates of `steps` steps can change.

        Args:
            batch: sampled tasks, with at least one observation and one query.
            steps: the number of steps.

        Returns:
            The loss as a function of `steps` rates.

        Raises:
            ValueError: if there is no step, no observation or no query.
        """
        require_positive(steps=steps, observations=batch.x.shape[1], queries=batch.y_query.size)
        observations = batch.x.shape[1]
        transposed = batch.x.transpose(0, 2, 1)
        eigenvalues, basis = np.linalg.eigh(transposed @ batch.x / observations)
        target = basis.transpose(0, 2, 1) @ (transposed @ batch.y / observations)
        nodes, interpolation = _interpolate(eigenvalues, steps)
        share = np.einsum("bmd,bdk,bds->bmks", batch.x_query @ basis, target, interpolation, optimize=True)
        share, answer = share.reshape(-1, steps), batch.y_query.reshape(-1)
        count = len(answer)
        return cls(nodes, share.T @ share / count, share.T @ answer / count, float(answer @ answer) / count)

    def __call__(self, rates: Array) -> float:
        """The loss at the rates (K,)."""
        values = self.values(rates)
        return float(0.5 * (values @ self.gram @ values - 2 * self.projection @ values + self.energy))

    def values(self, rates: Array) -> Array:
        """The polynomial p at the nodes (K,)."""
        values: Array = (1 - np.prod(1 - np.outer(self.nodes, rates), axis=1)) / self.nodes
        return values

    def slope(self, rates: Array) -> Array:
        """The derivative of `values` with respect to each rate, (K nodes, K rates): the other steps' product."""
        factors = 1 - np.outer(self.nodes, rates)
        others = [np.prod(np.delete(factors, step, axis=1), axis=1) for step in range(len(rates))]
        return np.stack(others, axis=1)


def _interpolate(eigenvalues: Array, count: int) -> tuple[Array, Array]:
    """Chebyshev nodes (count,) and the Lagrange polynomials of these nodes at the eigenvalues (…, count)."""
    top = float(eigenvalues.max())
    require_positive(largest_eigenvalue=top)
    angles = np.cos((2 * np.arange(count) + 1) * np.pi / (2 * count))
    discrete = chebvander(angles, count - 1).T * 2 / count
    discrete[0] /= 2
    return (angles + 1) / 2 * top, chebvander(2 * eigenvalues / top - 1, count - 1) @ discrete
