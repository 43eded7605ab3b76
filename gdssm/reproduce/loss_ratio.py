"""The loss of a model relative to a reference on the same tasks, and whether it is not inferior.

A descent of many steps loses more on one context of large curvature in 10,000 than on all others together, so which of
two such learners has the lower mean is chance. A model is not inferior if the upper end of the 95 % interval of the
ratio of mean losses is at most `MARGIN`. Two other ratios are given with it: of the means without `EXTREME` of the
contexts, those of largest curvature, and the geometric mean of the ratios of single tasks.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from gdssm.arrays import Array
from gdssm.evaluation.confidence import ratio_interval

MARGIN = 1.02
"""Largest upper end of the interval of a model that is not inferior."""
EXTREME = 0.001
"""Share of the contexts that are left out of `without_extremes`."""
RESAMPLES = 400


@dataclass(frozen=True)
class LossRatio:
    """A model's loss ÷ a reference's."""

    loss_ratio: float
    """Of the means over all tasks."""
    loss_ratio_low: float
    """The lower end of its 95 % bootstrap interval over tasks."""
    loss_ratio_high: float
    """The upper end."""
    without_extremes: float
    """Of the means over the tasks without the contexts of largest curvature."""
    geometric: float
    """The geometric mean of the ratios of all tasks."""

    @classmethod
    def of(cls, ours: Array, theirs: Array, x: Array) -> Self:
        """Compare the losses of both on every task (B,), with contexts x (B, N, D)."""
        interval = ratio_interval(ours, theirs, np.random.default_rng(0), resamples=RESAMPLES)
        curvature = largest_curvature(x)
        kept = curvature <= np.quantile(curvature, 1 - EXTREME)
        both = (ours > 0) & (theirs > 0)
        geometric = float(np.exp(np.log(ours[both] / theirs[both]).mean())) if both.any() else 1.0
        return cls(
            interval.mean, interval.low, interval.high, float(ours[kept].mean() / theirs[kept].mean()), geometric
        )


def largest_curvature(x: Array) -> Array:
    """The largest eigenvalue (B,) of mean x xᵀ of each context (B, N, D)."""
    eigenvalues: Array = np.linalg.eigvalsh(x.transpose(0, 2, 1) @ x / x.shape[1])
    return eigenvalues[:, -1]
