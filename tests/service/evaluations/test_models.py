"""Models as learners: parts, precision, intervals, and what each is compared with."""

import numpy as np
import pytest

from gdssm.evaluation.tasks.linear import Linear, Noisy
from service.evaluations.models import TASKS_PER_RUN, candidate
from service.inference.checks import Limits
from service.inference.distribution import Wanted
from service.inference.predictor import Observations, Predictor
from service.inference.tensor_inference import unlimited
from service.registry.repository import Repository

BATCH = Noisy(Linear(inputs=3, outputs=2)).sample(np.random.default_rng(0), TASKS_PER_RUN + 3, 7, 5)
TASK = TASKS_PER_RUN + 1


def test_learner_intervals_match_the_service(repository: Repository) -> None:
    runtime = repository.get("linear")
    learner = candidate(unlimited(runtime), runtime.manifest).interval_learner
    assert learner is not None
    found = learner.intervals(BATCH.x, BATCH.y, BATCH.x_query, (0.8, 0.9))
    assert found.shape == (2, 2, *BATCH.y_query.shape)
    predictor = Predictor(repository, "linear", Limits(max_columns=100, max_predictions=1000))
    context = Observations(BATCH.x[TASK], BATCH.y[TASK])
    for bounds, level in zip(found, (0.8, 0.9), strict=True):
        answer = predictor.predict("linear", context, BATCH.x_query[TASK], wanted=Wanted(level))
        assert answer.lower is not None
        assert answer.upper is not None
        np.testing.assert_allclose(bounds[0, TASK], answer.lower, rtol=1e-9)
        np.testing.assert_allclose(bounds[1, TASK], answer.upper, rtol=1e-9)


def test_after_one_observation_there_is_no_interval(repository: Repository) -> None:
    runtime = repository.get("linear")
    learner = candidate(unlimited(runtime), runtime.manifest).interval_learner
    assert learner is not None
    assert np.isnan(learner.intervals(BATCH.x[:2, :1], BATCH.y[:2, :1], BATCH.x_query[:2], (0.8, 0.9))).all()


@pytest.mark.parametrize(
    ("name", "steps", "difference_step", "gives_intervals"),
    [("gd-8", 8, 1e-4, False), ("gd-1", 1, 1e-4, False), ("linear", 0, 1e-4, True), ("nonlinear", 0, 1e-4, True)],
)
def test_candidate_has_the_gradient_steps_of_its_model(
    repository: Repository, name: str, steps: int, difference_step: float, *, gives_intervals: bool
) -> None:
    runtime = repository.get(name)
    found = candidate(unlimited(runtime), runtime.manifest)
    assert (found.steps, found.difference_step) == (steps, difference_step)
    assert (found.interval_learner is not None) == gives_intervals
