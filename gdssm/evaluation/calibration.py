"""Calibration of predictive intervals: coverage and interval score."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gdssm.arrays import Array
from gdssm.evaluation.confidence import Interval, bootstrap_interval
from gdssm.evaluation.learners import IntervalLearner
from gdssm.evaluation.metrics import task_coverages, task_interval_scores
from gdssm.evaluation.tasks.task import Batch

LEVELS = (0.8, 0.9)
"""Probabilities of the intervals."""


@dataclass(frozen=True)
class Calibration:
    """Means over tasks with their 95 % intervals; NaN where predictive intervals are missing."""

    coverage_80: Interval
    """Share of observations at the queries within their 80 % interval."""
    coverage_90: Interval
    """Share of observations at the queries within their 90 % interval."""
    interval_score_90: Interval
    """Of the 90 % intervals, in standard deviations of the observations at the queries about their mean, both over all
    tasks. 4.13 for normal observations of which only this mean and deviation are known."""


def calibrate(learner: IntervalLearner, batch: Batch, rng: Callable[[], np.random.Generator]) -> Calibration:
    """Measure predictive intervals on at least two tasks, against observations with their noise.

    Args:
        learner: The learner.
        batch: The tasks.
        rng: Makes the source of randomness of one bootstrap.
    """
    narrow, wide = learner.intervals(batch.x, batch.y, batch.x_query, LEVELS)
    observed = batch.observable

    def over_tasks(values: Array) -> Interval:
        return bootstrap_interval(values, rng())

    scores = task_interval_scores(wide[0], wide[1], observed, LEVELS[1]) / _deviation(observed)
    return Calibration(
        over_tasks(task_coverages(narrow[0], narrow[1], observed)),
        over_tasks(task_coverages(wide[0], wide[1], observed)),
        over_tasks(scores),
    )


def _deviation(observed: Array) -> float:
    """The standard deviation of (B, M, K), each output about its own mean; NaN instead of 0."""
    return float(np.sqrt(((observed - observed.mean(axis=(0, 1))) ** 2).mean())) or math.nan
