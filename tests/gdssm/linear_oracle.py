"""The model `linear` written out in float64 numpy, in two passes over the raw data, for one context."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def linear(x: Array, y: Array, x_query: Array, weight: Array | None = None, steps: int = 8) -> Array:
    """Standardise, take K gradient steps from zero, and put the answer back in the units of y.

    Args:
        x: (N, D).
        y: (N, K).
        x_query: (M, D).
        weight: (N,), each at least 0.
        steps: K.

    Returns:
        (M, K).
    """
    z = np.column_stack([x, y])
    share = np.ones(len(z)) if weight is None else weight
    share = (share / share.sum())[:, None]
    mean = (share * z).sum(0)
    mean += (share * (z - mean)).sum(0)
    return from_moments(mean, (z - mean).T @ (share * (z - mean)), x_query, steps)


def from_moments(mean: Array, covariance: Array, x_query: Array, steps: int = 8) -> Array:
    """Do what `linear` does with what it needs to know of x and y.

    Args:
        mean: Of the columns of x, then of y (D + K,).
        covariance: Of the same columns (D + K, D + K).
        x_query: (M, D).
        steps: K.

    Returns:
        (M, K).
    """
    inputs = x_query.shape[1]
    spread = np.sqrt(np.diag(covariance)[:inputs])
    scale = np.where(spread > 1e-12 * np.abs(mean[:inputs]), spread, np.inf)
    gram = covariance[:inputs, :inputs] / np.outer(scale, scale)
    cross = covariance[:inputs, inputs:] / scale[:, None]
    bound = (np.linalg.eigvalsh(gram).clip(0) ** 32).sum() ** (1 / 32)
    coefficients = np.zeros_like(cross)
    if bound > 0:
        for _ in range(steps):
            coefficients += (cross - gram @ coefficients) / bound
    answer: Array = (x_query - mean[:inputs]) / scale @ coefficients + mean[inputs:]
    return answer
