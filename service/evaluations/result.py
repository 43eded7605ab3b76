"""Results as JSON, with null for numbers that are not finite."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from pydantic import Field

from service.inference.artifact import Record

if TYPE_CHECKING:
    from gdssm.evaluation.confidence import Interval
    from gdssm.evaluation.evaluate import Score, Skipped


class IntervalView(Record):
    """A mean over tasks and its 95 % interval."""

    mean: float | None
    low: float | None
    high: float | None


class PointView(Record):
    """One point of a learning curve."""

    observations: int
    loss: IntervalView


class ScoreView(Record, use_attribute_docstrings=True):
    """One learner on one distribution, or why it was refused there."""

    distribution: str
    learner: str
    refused: str | None = None
    """The reason if it does not fit; the metrics are then null."""
    loss: IntervalView | None = None
    """½ · mean squared error."""
    r2: IntervalView | None = None
    relative_prediction_difference: IntervalView | None = None
    """From gradient descent of as many steps with the best rates; for a model that averages over all, from ridge."""
    sensitivity_cosine: IntervalView | None = None
    """With the sensitivity of the same; blind to scale."""
    coverage_80: IntervalView | None = None
    """Share of observations at the queries within their 80 % interval; null if the learner gives no intervals."""
    coverage_90: IntervalView | None = None
    """Share of observations at the queries within their 90 % interval."""
    interval_score_90: IntervalView | None = None
    """Mean of u − l + 20·(distance of y from [l, u]) over the 90 % intervals, in standard deviations of y; less is
    better. 4.13 for normal y of which only mean and standard deviation are known."""
    curve: tuple[PointView, ...] = Field(default=())


def view(result: "Score | Skipped") -> ScoreView:
    """Convert a result."""
    from gdssm.evaluation.evaluate import Skipped  # noqa: PLC0415  (a service starts without the learners)

    if isinstance(result, Skipped):
        return ScoreView(distribution=result.distribution, learner=result.learner, refused=result.reason)
    metrics = ("loss", "r2", "relative_prediction_difference", "sensitivity_cosine")
    calibration = {} if result.calibration is None else vars(result.calibration)
    return ScoreView(
        distribution=result.distribution,
        learner=result.learner,
        **{name: _interval(getattr(result, name)) for name in metrics},
        **{name: _interval(interval) for name, interval in calibration.items()},
        curve=tuple(PointView(observations=p.observations, loss=_interval(p.loss)) for p in result.curve),
    )


def _interval(interval: "Interval") -> IntervalView:
    return IntervalView(**{name: value if math.isfinite(value) else None for name, value in asdict(interval).items()})
