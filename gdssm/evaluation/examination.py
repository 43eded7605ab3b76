"""Every learner on every distribution of a suite: loss, R², intervals, alignment with descent, and the learning curve.

The same plan and seed give the same numbers to the bit, wherever the learners run.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from gdssm.evaluation.alignment import Answer, answer
from gdssm.evaluation.arrays import Array
from gdssm.evaluation.calibration import Calibration, calibrate
from gdssm.evaluation.checks import require_positive, require_same_shape
from gdssm.evaluation.confidence import Interval, bootstrap_interval, ratio_interval
from gdssm.evaluation.learners.learner import IntervalLearner, Learner
from gdssm.evaluation.metrics.loss import task_losses
from gdssm.evaluation.metrics.sensitivity_cosine import task_cosines
from gdssm.evaluation.references import REFERENCES, best_ridge, descent
from gdssm.evaluation.suites import Suite
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.task import Task

EVALUATION, TUNING, RESAMPLING = 0, 1, 2
"""Random streams that never meet."""


@dataclass(frozen=True)
class Plan:
    """How much is asked.

    Raises:
        ValueError: if a size is not positive.
    """

    seed: int = 0
    tasks: int = 200
    """B, for each distribution and each length of context."""
    queries: int = 4
    """M, for each task."""
    observations: int = 10
    """N, where everything is measured."""
    curve: tuple[int, ...] = (1, 2, 5, 10, 20, 50)
    """N of each point of the learning curve."""
    tuning_tasks: int = 2000
    """Tasks on which the references' rates and strengths are chosen."""

    def __post_init__(self) -> None:
        sizes = {f"curve[{i}]": n for i, n in enumerate(self.curve)}
        require_positive(tasks=self.tasks - 1, queries=self.queries, observations=self.observations, **sizes)


@dataclass(frozen=True)
class Contestant:
    """A model that is examined."""

    learner: Learner
    steps: int = 1
    """Gradient steps that it takes: it is compared with descent of as many. 0 for gradient flow averaged over its
    stopping time: that is ridge regression if the time is exponentially distributed, so it is compared with ridge."""
    difference_step: float = 1e-4
    """How far queries are moved for a sensitivity; 1e-2 for a model in single precision."""
    interval_learner: IntervalLearner | None = None
    """Where its predictive intervals come from; None if it gives none."""


@dataclass(frozen=True)
class Point:
    """One point of a learning curve."""

    observations: int
    loss: Interval


@dataclass(frozen=True)
class Score:
    """One learner on one distribution; intervals are of 95 % over tasks."""

    distribution: str
    learner: str
    loss: Interval
    """½ · mean squared error."""
    r2: Interval
    """Pooled over all tasks, about the mean of all answers."""
    relative_prediction_difference: Interval
    """Σ‖a − b‖² / Σ‖b‖², b being what the learner is compared with (see `Contestant.steps`), tuned; rooted."""
    sensitivity_cosine: Interval
    """Between the sensitivities of the same two; blind to scale."""
    calibration: Calibration | None
    """Of its predictive intervals; None if it gives none."""
    curve: tuple[Point, ...] = field(default=())


@dataclass(frozen=True)
class Refused:
    """A learner that does not fit a distribution, and why."""

    distribution: str
    learner: str
    reason: str


def examine(plan: Plan, suite: Suite, contestants: Mapping[str, Contestant]) -> Iterator[Score | Refused]:
    """Examine the contestants, and the reference learners beside them.

    Args:
        plan: how much is asked.
        suite: distributions by name.
        contestants: by name; a ValueError from one is its refusal of the distribution.

    Yields:
        One result for each distribution and learner, as soon as there is one.
    """
    for name, task in suite:
        place = _Place(plan, name, task)
        everyone = {
            **contestants,
            **{reference: Contestant(_Tuned(place, reference)) for reference in REFERENCES},
        }
        for learner, contestant in everyone.items():
            try:
                yield place.score(learner, contestant)
            except ValueError as error:
                yield Refused(name, learner, str(error))


def length(suite: Suite, contestants: Mapping[str, Contestant]) -> int:
    """How many results `examine` yields."""
    return len(suite) * (len(contestants) + len(REFERENCES))


class _Place:
    """One distribution: its tasks, and gradient descent on them."""

    def __init__(self, plan: Plan, name: str, task: Task) -> None:
        self._plan = plan
        self._name = name
        self._task = task
        self._batches: dict[tuple[int, int], Batch] = {}
        self._comparisons: dict[int, Answer] = {}

    def score(self, name: str, contestant: Contestant) -> Score:
        batch = self.batch(self._plan.observations)
        ours = answer(contestant.learner, batch, contestant.difference_step)
        require_same_shape(prediction=ours.prediction, y_query=batch.y_query)
        reference, error = self._comparison(contestant.steps), ours.prediction - batch.y_query
        spread = batch.y_query - batch.y_query.mean(axis=(0, 1))
        unexplained = ratio_interval(_squares(error), _squares(spread), self._rng(RESAMPLING))
        difference = ratio_interval(
            _squares(ours.prediction - reference.prediction), _squares(reference.prediction), self._rng(RESAMPLING)
        )
        cosines = task_cosines(ours.sensitivity, reference.sensitivity)
        return Score(
            self._name,
            name,
            bootstrap_interval(task_losses(ours.prediction, batch.y_query), self._rng(RESAMPLING)),
            Interval(1 - unexplained.mean, 1 - unexplained.high, 1 - unexplained.low),
            Interval(*(float(np.sqrt(part)) for part in (difference.mean, difference.low, difference.high))),
            bootstrap_interval(cosines, self._rng(RESAMPLING)),
            self._calibration(contestant.interval_learner, batch),
            tuple(self._point(contestant.learner, observations) for observations in self._plan.curve),
        )

    def batch(self, observations: int, stream: int = EVALUATION) -> Batch:
        """Draw the tasks with so many observations, once."""
        key = observations, stream
        if key not in self._batches:
            tasks = self._plan.tuning_tasks if stream == TUNING else self._plan.tasks
            self._batches[key] = self._task.sample(self._rng(stream), tasks, observations, self._plan.queries)
        return self._batches[key]

    def _point(self, learner: Learner, observations: int) -> Point:
        batch = self.batch(observations)
        losses = task_losses(learner.predict(batch.x, batch.y, batch.x_query), batch.y_query)
        return Point(observations, bootstrap_interval(losses, self._rng(RESAMPLING)))

    def _calibration(self, learner: IntervalLearner | None, batch: Batch) -> Calibration | None:
        return None if learner is None else calibrate(learner, batch, partial(self._rng, RESAMPLING))

    def _comparison(self, steps: int) -> Answer:
        if steps not in self._comparisons:
            sample = self.batch(self._plan.observations, TUNING)
            reference = descent(sample, steps) if steps else best_ridge(sample)
            self._comparisons[steps] = answer(reference, self.batch(self._plan.observations))
        return self._comparisons[steps]

    def _rng(self, stream: int) -> np.random.Generator:
        """A stream that depends on the distribution's name, not on its place in the suite."""
        return np.random.default_rng([self._plan.seed, stream, zlib.crc32(self._name.encode())])


class _Tuned:
    """A reference learner, tuned anew for each length of context."""

    def __init__(self, place: _Place, reference: str) -> None:
        self._place = place
        self._reference = reference
        self._learners: dict[int, Learner] = {}

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        observations = x.shape[1]
        if observations not in self._learners:
            sample = self._place.batch(observations, TUNING)
            self._learners[observations] = REFERENCES[self._reference](sample)
        return self._learners[observations].predict(x, y, x_query)


def _squares(values: Array) -> Array:
    """Sum the squares of each task: (B, …) to (B,)."""
    squares: Array = (values**2).reshape(len(values), -1).sum(axis=1)
    return squares
