"""How sure a mean over tasks is."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from gdssm.evaluation.arrays import Array


@dataclass(frozen=True)
class Interval:
    """A mean over tasks and the interval around it."""

    mean: float
    low: float
    high: float


def normal_interval(values: Array, level: float = 0.95) -> Interval:
    """The interval of the central limit theorem: the mean ± z standard errors.

    Args:
        values: one number for each task (B,), at least two.
        level: how often such an interval holds the true mean.

    Returns:
        The interval, symmetric about the mean.

    Raises:
        ValueError: if there are fewer than two tasks, or the level is not between 0 and 1.
    """
    _require_sample(values, level)
    mean = float(values.mean())
    margin = NormalDist().inv_cdf((1 + level) / 2) * float(values.std(ddof=1)) / math.sqrt(len(values))
    return Interval(mean, mean - margin, mean + margin)


def bootstrap_interval(values: Array, rng: np.random.Generator, level: float = 0.95, resamples: int = 1000) -> Interval:
    """The interval of the percentile bootstrap: means of tasks drawn again, with replacement.

    It follows a skewed distribution (a learner that diverges on a few tasks) where the normal interval cannot.

    Args:
        values: one number for each task (B,), at least two.
        rng: source of randomness.
        level: how often such an interval holds the true mean.
        resamples: how many means to draw.

    Returns:
        The interval.

    Raises:
        ValueError: if there are fewer than two tasks, or the level is not between 0 and 1.
    """
    _require_sample(values, level)
    # One resample at a time: all at once would be (resamples, B) numbers.
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(resamples)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values.mean()), float(low), float(high))


def ratio_interval(
    numerator: Array, denominator: Array, rng: np.random.Generator, level: float = 0.95, resamples: int = 1000
) -> Interval:
    """The percentile bootstrap of a ratio of two sums over the same tasks: of R², of a relative difference.

    Args:
        numerator: one number for each task (B,), at least two.
        denominator: one for each task (B,), not negative.
        rng: source of randomness.
        level: how often such an interval holds the true ratio.
        resamples: how many ratios to draw.

    Returns:
        The ratio of the sums and its interval; not a number where the denominators are zero.

    Raises:
        ValueError: if there are fewer than two tasks, or the level is not between 0 and 1.
    """
    _require_sample(numerator, level)
    counts = rng.multinomial(len(numerator), np.full(len(numerator), 1 / len(numerator)), resamples)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = (counts @ numerator) / (counts @ denominator)
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        return Interval(float(numerator.sum() / denominator.sum()), float(low), float(high))


def _require_sample(values: Array, level: float) -> None:
    """Refuse what has no spread to estimate."""
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"values has shape {values.shape}; give one number for each of at least two tasks.")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must be between 0 and 1.")
