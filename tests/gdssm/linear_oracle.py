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
    share = np.ones(len(x)) if weight is None else weight
    share = (share / share.sum())[:, None]
    mean = (share * x).sum(0)
    mean += (share * (x - mean)).sum(0)
    spread = np.sqrt((share * (x - mean) ** 2).sum(0))
    varies = spread > 1e-12 * np.abs(mean)
    scale = np.where(varies, spread, np.inf)
    z, z_query = (x - mean) / scale, (x_query - mean) / scale
    y_mean = (share * y).sum(0)
    y_mean = y_mean + (share * (y - y_mean)).sum(0)
    gram, cross = z.T @ (share * z), z.T @ (share * (y - y_mean))
    eigenvalues = np.linalg.eigvalsh(gram).clip(0)
    bound = (eigenvalues**32).sum() ** (1 / 32)
    coefficients = np.zeros_like(cross)
    if bound > 0:
        for _ in range(steps):
            coefficients += (cross - gram @ coefficients) / bound
    answer: Array = z_query @ coefficients + y_mean
    return answer
