"""Every learner on every distribution of a suite: loss, R², intervals, alignment with descent, and the learning curve.

One configuration gives the same numbers to the bit, whether learners run in this process or behind an API.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from gdssm.arrays import Array
from gdssm.evaluation.alignment import LearnerOutput, output_of
from gdssm.evaluation.calibration import Calibration, calibrate
from gdssm.evaluation.checks import require_positive, require_same_shape
from gdssm.evaluation.confidence import Interval, bootstrap_interval, ratio_interval
from gdssm.evaluation.learners import IntervalLearner, Learner
from gdssm.evaluation.metrics import task_cosines, task_losses
from gdssm.evaluation.references import REFERENCES, best_ridge, descent
from gdssm.evaluation.suites import Suite
from gdssm.evaluation.tasks.task import Batch, Task

EVALUATION, TUNING, RESAMPLING = 0, 1, 2
"""Independent random streams."""


@dataclass(frozen=True)
class EvaluationConfig:
    """Seed and sizes of an evaluation.

    Raises:
        ValueError: A size is not positive.
    """

    seed: int = 0
    tasks: int = 200
    """B, for each distribution and each length of context."""
    queries: int = 4
    """M, for each task."""
    observations: int = 10
    """N of all measures but the learning curve."""
    curve: tuple[int, ...] = (1, 2, 5, 10, 20, 50)
    """N of each point of the learning curve."""
    tuning_tasks: int = 2000
    """Tasks on which the references' rates and strengths are chosen."""

    def __post_init__(self) -> None:
        sizes = {f"curve[{i}]": n for i, n in enumerate(self.curve)}
        require_positive(tasks=self.tasks - 1, queries=self.queries, observations=self.observations, **sizes)


@dataclass(frozen=True)
class Candidate:
    """A learner to evaluate."""

    learner: Learner
    steps: int = 1
    """Gradient steps; it is compared with descent of as many. 0 for descent averaged over its stopping time, which is
    compared with ridge regression."""
    difference_step: float = 1e-4
    """Step of the central differences in x_query; 1e-2 for a model in single precision."""
    interval_learner: IntervalLearner | None = None
    """The same learner if it gives predictive intervals, else None."""


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
    """√(Σ‖a − b‖² / Σ‖b‖²), b the tuned reference of `Candidate.steps`."""
    sensitivity_cosine: Interval
    """Between the sensitivities of the same two; independent of scale."""
    calibration: Calibration | None
    """Of its predictive intervals; None if it gives none."""
    curve: tuple[Point, ...] = field(default=())


@dataclass(frozen=True)
class Skipped:
    """A learner that does not accept the shapes of a distribution."""

    distribution: str
    learner: str
    reason: str


def evaluate(config: EvaluationConfig, suite: Suite, candidates: Mapping[str, Candidate]) -> Iterator[Score | Skipped]:
    """Evaluate the candidates and the reference learners.

    Args:
        config: Seed and sizes.
        suite: Distributions by name.
        candidates: By name; one that raises ValueError for a distribution is skipped there.

    Yields:
        One result for each distribution and learner, in order.
    """
    for name, task in suite:
        distribution = _Distribution(config, name, task)
        everyone = {
            **candidates,
            **{reference: Candidate(_TunedReference(distribution, reference)) for reference in REFERENCES},
        }
        for learner, candidate in everyone.items():
            try:
                yield distribution.score(learner, candidate)
            except ValueError as error:
                yield Skipped(name, learner, str(error))


def result_count(suite: Suite, candidates: Mapping[str, Candidate]) -> int:
    """Count the results that `evaluate` yields."""
    return len(suite) * (len(candidates) + len(REFERENCES))


class _Distribution:
    """One distribution: its tasks, and gradient descent on them."""

    def __init__(self, config: EvaluationConfig, name: str, task: Task) -> None:
        self._config = config
        self._name = name
        self._task = task
        self._batches: dict[tuple[int, int], Batch] = {}
        self._comparisons: dict[int, LearnerOutput] = {}

    def score(self, name: str, candidate: Candidate) -> Score:
        batch = self.batch(self._config.observations)
        ours = output_of(candidate.learner, batch, candidate.difference_step)
        require_same_shape(prediction=ours.prediction, y_query=batch.y_query)
        reference, error = self._comparison(candidate.steps), ours.prediction - batch.y_query
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
            self._calibration(candidate.interval_learner, batch),
            tuple(self._point(candidate.learner, observations) for observations in self._config.curve),
        )

    def batch(self, observations: int, stream: int = EVALUATION) -> Batch:
        """Draw the tasks of N observations, once."""
        key = observations, stream
        if key not in self._batches:
            tasks = self._config.tuning_tasks if stream == TUNING else self._config.tasks
            self._batches[key] = self._task.sample(self._rng(stream), tasks, observations, self._config.queries)
        return self._batches[key]

    def _point(self, learner: Learner, observations: int) -> Point:
        batch = self.batch(observations)
        losses = task_losses(learner.predict(batch.x, batch.y, batch.x_query), batch.y_query)
        return Point(observations, bootstrap_interval(losses, self._rng(RESAMPLING)))

    def _calibration(self, learner: IntervalLearner | None, batch: Batch) -> Calibration | None:
        return None if learner is None else calibrate(learner, batch, partial(self._rng, RESAMPLING))

    def _comparison(self, steps: int) -> LearnerOutput:
        if steps not in self._comparisons:
            sample = self.batch(self._config.observations, TUNING)
            reference = descent(sample, steps) if steps else best_ridge(sample)
            self._comparisons[steps] = output_of(reference, self.batch(self._config.observations))
        return self._comparisons[steps]

    def _rng(self, stream: int) -> np.random.Generator:
        """A stream that depends on the distribution's name, not on its place in the suite."""
        return np.random.default_rng([self._config.seed, stream, zlib.crc32(self._name.encode())])


class _TunedReference:
    """A reference learner, tuned again for each length of context."""

    def __init__(self, distribution: _Distribution, reference: str) -> None:
        self._distribution = distribution
        self._reference = reference
        self._learners: dict[int, Learner] = {}

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        observations = x.shape[1]
        if observations not in self._learners:
            sample = self._distribution.batch(observations, TUNING)
            self._learners[observations] = REFERENCES[self._reference](sample)
        return self._learners[observations].predict(x, y, x_query)


def _squares(values: Array) -> Array:
    """Sum the squares of each task: (B, …) to (B,)."""
    squares: Array = (values**2).reshape(len(values), -1).sum(axis=1)
    return squares
