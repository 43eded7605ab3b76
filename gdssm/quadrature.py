"""The times at which gradient flow is evaluated, and its values before and after; no torch.

Averages over the path of gradient flow are integrals over log t, by the trapezoid rule at t = 2^(k/2)
(`descent_integral`). From t = 1 to the last time the flow is computed. Before, it is a short series in G. After, it is
taken as constant, which holds in directions whose eigenvalue is above 2e-5 of the largest. In the others it stops
early, which does not affect predictions; for variances `null_weights` adds that of the prior in unobserved directions.
"""

from math import factorial, log

import numpy as np
from numpy.typing import NDArray

from gdssm.arrays import Array

DOUBLINGS = 22
"""The last time on the path is 2^(22 + ½), in units in which λ_max is at most 1/8."""
UNOBSERVED_DOUBLINGS = 2
"""Further ones of e^{−Gt} alone, which is then 1 in unobserved directions and 0 in others."""
LATER = 24
"""Further doublings with a constant flow."""
HALVINGS = 34
"""The first time is 2^−34."""
POWERS = 6
"""Powers of G in the series for times below 1; the truncation error is (√½/8)⁶/7! of the first term."""
STEP = 0.5 * log(2.0)
"""Of log t, in the trapezoid rule."""
LOWEST_RATE = 30.0 / 2.0 ** (DOUBLINGS + LATER)
"""The smallest rate a: e^{−a t} is below 1e-13 at the last of all times."""

EARLY = 2.0 ** (0.5 * np.arange(-2 * HALVINGS, 0))
LATE = 2.0 ** (0.5 * np.arange(2 * (DOUBLINGS + LATER) + 2))
PATH = 2 * DOUBLINGS + 2
"""Number of late times on the path."""
EARLY_SOLUTION = np.stack([EARLY ** (j + 1) * (-1) ** j / factorial(j + 1) for j in range(POWERS)], 1)
"""Q(t) at the early times as a sum of G⁰ … G⁵, (T, 6)."""
EARLY_TRACE = STEP * np.stack([0 * EARLY, *(-(EARLY**j) * (-1) ** j / factorial(j) for j in range(1, POWERS))], 1)
"""tr(I − e^{−Gt}) at the early times as a sum of the traces of G¹ … G⁵, times the step; 0 for the first, (T, 6)."""
LAST = float(LATE[PATH - 1])
"""The last time on the path."""
WHERE_ZERO = np.concatenate([[1.0], np.zeros(POWERS - 1), LATE[:PATH]])
"""The path where G is zero: G⁰ … G⁵ and Q(t) = t, (J,)."""
SMALLEST = 1e-300
"""An eigenvalue below which Q(t) is t."""


def ridge_weights(rate: Array) -> Array:
    """Weights of the path by which its inverses sum to (G + aI)⁻¹; as in `descent_integral`.

    Args:
        rate: a, at least `LOWEST_RATE` (S,).

    Returns:
        (S, J), for G⁰ … G⁵ and Q at the late times on the path.
    """
    early, late = (np.exp(-rate[:, None] * times) * rate[:, None] * times for times in (EARLY, LATE))
    total = early.sum(1, keepdims=True) + late.sum(1, keepdims=True)
    weights: Array = np.concatenate([early @ EARLY_SOLUTION, _on_path(late)], 1) / total
    return weights


def log_determinant_weights(rate: Array) -> Array:
    """Weights of the path by which its traces sum to log det(I + G/a); see `ridge_weights`."""
    early, late = (np.exp(-rate[:, None] * times) for times in (EARLY, LATE))
    return np.concatenate([early @ EARLY_TRACE, STEP * _on_path(late)], 1)


def _on_path(late: Array) -> Array:
    """Use the last time on the path for all later ones."""
    return np.concatenate([late[:, : PATH - 1], late[:, PATH - 1 :].sum(1, keepdims=True)], 1)


def null_weights(rate: Array, weights: Array) -> Array:
    """The weight of e^{−Gt} long after the path, which completes an inverse in unobserved directions."""
    left: Array = 1.0 / rate - weights @ WHERE_ZERO
    return left


def unobserved(eigenvalues: NDArray[np.floating]) -> Array:
    """1 in unobserved directions and 0 in others, for the eigenvectors of G (E,)."""
    left: Array = np.exp(-eigenvalues * LAST * 2.0**UNOBSERVED_DOUBLINGS)
    return left


def path_of(eigenvalues: NDArray[np.floating]) -> tuple[Array, Array]:
    """Q (J, E) in the directions of the eigenvectors of G, and the traces (J,), for eigenvalues of at most 1/8."""
    powers = eigenvalues ** np.arange(POWERS)[:, None]
    removed = -np.expm1(-eigenvalues * LATE[:PATH, None])
    positive = eigenvalues > SMALLEST
    flow = np.where(positive, removed / np.where(positive, eigenvalues, 1.0), LATE[:PATH, None])
    traces = np.concatenate([[0.0], powers[1:].sum(1), removed.sum(1)])
    return np.concatenate([powers, flow]), traces
