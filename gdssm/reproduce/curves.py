"""Losses of learners along one axis, with confidence intervals, as JSON."""

from collections.abc import Iterable, Mapping
from typing import TypedDict

import numpy as np

from gdssm.evaluation.confidence import bootstrap_interval
from gdssm.evaluation.learners import Learner
from gdssm.evaluation.metrics import task_losses
from gdssm.evaluation.tasks.task import Batch
from gdssm.reproduce.experiment import ReportTable


class LossBand(TypedDict):
    """Losses of one learner: means over tasks and their 95 % intervals."""

    mean: list[float]
    low: list[float]
    high: list[float]


class Curves(TypedDict):
    """Several learners along one axis."""

    axis: str
    x: list[float]
    series: dict[str, LossBand]


def measure(learner: Learner, batch: Batch, resamples: int) -> tuple[float, float, float]:
    """Return the mean loss of a learner, and the ends of its bootstrap interval."""
    losses = task_losses(learner.predict(batch.x, batch.y, batch.x_query), batch.y_query)
    interval = bootstrap_interval(losses, np.random.default_rng(0), resamples=resamples)
    return interval.mean, interval.low, interval.high


def sweep(axis: str, points: Iterable[tuple[float, Batch, Mapping[str, Learner]]], resamples: int) -> Curves:
    """Measure the same learners at every point of an axis.

    Args:
        axis: Label of the axis.
        points: For each the value on the axis, the tasks, and the learners by name.
        resamples: Of the bootstrap.
    """
    curves = Curves(axis=axis, x=[], series={})
    for x, batch, learners in points:
        curves["x"].append(x)
        for name, learner in learners.items():
            band = curves["series"].setdefault(name, LossBand(mean=[], low=[], high=[]))
            mean, low, high = measure(learner, batch, resamples)
            band["mean"].append(mean)
            band["low"].append(low)
            band["high"].append(high)
    return curves


def table(title: str, curves: Curves) -> ReportTable:
    """List the curves, a row for each learner; ± is half of the interval."""
    rows = [
        [name, *(f"{mean:.4g} ± {(high - low) / 2:.1g}" for mean, low, high in zip(*band.values(), strict=True))]
        for name, band in curves["series"].items()
    ]
    return ReportTable(title, [curves["axis"], *(f"{x:g}" for x in curves["x"])], rows)
