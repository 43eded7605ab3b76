"""How far the predictive intervals of a learner can be believed: the numbers that only mean something together."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.confidence import Interval, bootstrap_interval
from gdssm.evaluation.learners.learner import IntervalLearner
from gdssm.evaluation.metrics.coverage import task_coverages
from gdssm.evaluation.metrics.interval_score import task_interval_scores
from gdssm.evaluation.tasks.batch import Batch

LEVELS = (0.8, 0.9)
"""Probabilities that the predictive intervals are meant to hold."""


@dataclass(frozen=True)
class Calibration:
    """Means over tasks with their 95 % intervals; NaN where predictive intervals are missing."""

    coverage_80: Interval
    """Share of observations at the queries within their 80 % interval."""
    coverage_90: Interval
    """Share of observations at the queries within their 90 % interval."""
    interval_score_90: Interval
    """Of the 90 % intervals, in standard deviations of the observations at the queries about their mean, both over all
    tasks. 4.13 for normal observations of which no more is known than this mean and deviation."""


def calibrate(learner: IntervalLearner, batch: Batch, rng: Callable[[], np.random.Generator]) -> Calibration:
    """Measure predictive intervals.

    They are compared with `Batch.observable`, noise and all: an interval is about the next observation.

    Args:
        learner: whose intervals.
        batch: the tasks, at least two.
        rng: makes the source of randomness of one bootstrap.

    Returns:
        Coverage and interval score.

    Raises:
        ValueError: as the learner.
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
    """The standard deviation of (B, M, K), each output about its own mean; NaN, which divides into NaN, if it is 0."""
    return float(np.sqrt(((observed - observed.mean(axis=(0, 1))) ** 2).mean())) or math.nan
