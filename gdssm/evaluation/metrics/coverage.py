"""How often predictive intervals hold the observation."""

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_same_shape


def task_coverages(lower: Array, upper: Array, observed: Array) -> Array:
    """The share of each task's observations that lie within their intervals, bounds included.

    Args:
        lower: (B, M, K); NaN where there is no interval.
        upper: (B, M, K); NaN where there is no interval.
        observed: (B, M, K).

    Returns:
        One share for each task (B,); NaN where it lacks an interval.

    Raises:
        ValueError: if the shapes differ or there is nothing to compare.
    """
    require_same_shape(lower=lower, upper=upper, observed=observed)
    held = np.where(np.isnan(lower) | np.isnan(upper), np.nan, (lower <= observed) & (observed <= upper))
    shares: Array = held.mean(axis=(1, 2))
    return shares
