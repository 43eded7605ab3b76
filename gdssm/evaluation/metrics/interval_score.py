"""How good predictive intervals are: width, and a penalty for what lies outside."""

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_same_shape


def task_interval_scores(lower: Array, upper: Array, observed: Array, level: float) -> Array:
    """The interval score of each task, over its queries and outputs.

    u − l + (2/α)(l − y)₊ + (2/α)(y − u)₊ with α = 1 − level: lowest in expectation where both tails hold α/2
    (Winkler 1972; Gneiting and Raftery 2007, equation 43).

    Args:
        lower: l (B, M, K); NaN where there is no interval.
        upper: u (B, M, K); NaN where there is no interval.
        observed: y (B, M, K).
        level: the probability that an interval is meant to hold.

    Returns:
        One score for each task (B,), in units of y; NaN where it lacks an interval.

    Raises:
        ValueError: if the shapes differ, there is nothing to compare, or the level is not between 0 and 1.
    """
    require_same_shape(lower=lower, upper=upper, observed=observed)
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must be between 0 and 1.")
    outside = np.maximum(lower - observed, 0) + np.maximum(observed - upper, 0)
    scores: Array = (upper - lower + 2 / (1 - level) * outside).mean(axis=(1, 2))
    return scores
