"""Predictions at several decays, averaged by their predictive densities so far; no torch.

Dynamic model averaging (Raftery, Kárný and Ettler 2010, Technometrics 52) of F models that differ in the decay.
"""

from math import lgamma, log, pi

import numpy as np

from gdssm.arrays import FloatArray

DECAYS = np.array([1.0, 0.995, 0.98, 0.95, 0.9, 0.85, 0.7, 0.5])
"""Factors of the weight of an observation for each later one; all, 200, 50, 20, 10, 7, 3 and 2 observations count."""
POWER = 0.99
"""Factor of a log weight for each later observation; the scores of 100 observations count."""
LEAST_SCALE = 1e-6
"""Lower bound of a scale, relative to the largest of all decays, so that no density is infinite."""


def scored(log_weight: FloatArray, error: FloatArray, scale: FloatArray, freedom: FloatArray) -> FloatArray:
    """Add the log densities of R observations, oldest first, to the log weights.

    Observations without a distribution for some decay (no degrees of freedom, or no scale) change nothing.

    Args:
        log_weight: (F,); the largest is 0.
        error: y − prediction from the state before all of them, (F, R, K).
        scale: Of the same predictions, (F, R, K).
        freedom: Degrees of freedom (F,).

    Returns:
        (F,); the largest is 0.
    """
    if not (freedom > 0.0).all():
        return log_weight
    scale = np.maximum(scale, LEAST_SCALE * scale.max(0))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        density = log_density(error, scale, freedom).sum(2)
    density = density[:, np.isfinite(density).all(0)]
    rows = density.shape[1]
    found: FloatArray = POWER**rows * log_weight + density @ POWER ** np.arange(rows - 1, -1, -1)
    return np.asarray(found - found.max())


def log_density(error: FloatArray, scale: FloatArray, freedom: FloatArray) -> FloatArray:
    """Student's t log density (F, R, K) of errors (F, R, K) at scales (F, R, K), with degrees of freedom (F,)."""
    constant = [lgamma(0.5 * (v + 1.0)) - lgamma(0.5 * v) - 0.5 * log(v * pi) for v in freedom.tolist()]
    v = freedom[:, None, None]
    density: FloatArray = (
        np.array(constant)[:, None, None] - np.log(scale) - 0.5 * (v + 1.0) * np.log1p(np.square(error / scale) / v)
    )
    return density


def probabilities(log_weight: FloatArray) -> FloatArray:
    """Weights (F,) that sum to one."""
    weight = np.exp(log_weight - log_weight.max())
    share: FloatArray = weight / weight.sum()
    return share


def averaged(probability: FloatArray, prediction: FloatArray, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and scale (M, K) of the mixture, for predictions and scales (F, M, K)."""
    mean = np.tensordot(probability, prediction, 1)
    variance = np.tensordot(probability, np.square(scale) + np.square(prediction - mean), 1)
    return mean, np.sqrt(variance)
