"""Confidence intervals of means and ratios over tasks, by the percentile bootstrap.

The bootstrap follows a skewed distribution (a learner that diverges on a few tasks) where a normal interval cannot.
Values are one number for each of at least two tasks (B,); `level` is the probability that an interval contains the true
value. Both functions raise ValueError if there are fewer than two tasks, or the level is not between 0 and 1.
"""

from dataclasses import dataclass

import numpy as np

from gdssm.arrays import Array


@dataclass(frozen=True)
class Interval:
    """A mean over tasks and the interval around it."""

    mean: float
    low: float
    high: float


def bootstrap_interval(values: Array, rng: np.random.Generator, level: float = 0.95, resamples: int = 1000) -> Interval:
    """The mean, and the quantiles of means of tasks drawn with replacement."""
    _require_sample(values, level)
    # One resample at a time: all at once would be (resamples, B) numbers.
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(resamples)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values.mean()), float(low), float(high))


def ratio_interval(
    numerator: Array, denominator: Array, rng: np.random.Generator, level: float = 0.95, resamples: int = 1000
) -> Interval:
    """The ratio of two sums over the same tasks, and the quantiles of ratios of resampled tasks; NaN for 0/0.

    For R² and for relative differences; the denominators are not negative.
    """
    _require_sample(numerator, level)
    counts = rng.multinomial(len(numerator), np.full(len(numerator), 1 / len(numerator)), resamples)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = (counts @ numerator) / (counts @ denominator)
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        return Interval(float(numerator.sum() / denominator.sum()), float(low), float(high))


def _require_sample(values: Array, level: float) -> None:
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"values has shape {values.shape}; give one number for each of at least two tasks.")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must be between 0 and 1.")
