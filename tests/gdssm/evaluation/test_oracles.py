"""Every closed form against Monte Carlo, and against the numbers that the project states."""

import math

import numpy as np
import pytest

from gdssm.evaluation.learners import FixedRateDescent, Zero
from gdssm.evaluation.learning_rates import best_learning_rate
from gdssm.evaluation.metrics import task_losses
from gdssm.evaluation.oracles import OneStepOracle, uniform_variance
from gdssm.evaluation.tasks.linear import Correlated, Linear, Noisy
from gdssm.evaluation.tasks.task import Batch, Task
from tests.gdssm.evaluation.statistical import assert_mean

CASES: dict[str, tuple[OneStepOracle, Task]] = {
    "paper's code": (OneStepOracle(10, 10, 1 / 12), Linear(10, input_range=1.0)),
    "paper's text": (OneStepOracle(10, 10, 1 / 3), Linear(10, input_range=2.0)),
    "few inputs": (OneStepOracle(7, 3, 1 / 3), Linear(3)),
    "vector": (OneStepOracle(7, 5, 1 / 3), Linear(5, outputs=3)),
    "one observation": (OneStepOracle(1, 5, 1 / 3), Linear(5)),
    "noise": (OneStepOracle(7, 5, 1 / 3, noise=0.8), Noisy(Linear(5), 0.8)),
    "noise, scale": (
        OneStepOracle(7, 5, 1 / 3, noise=0.8, weight_scale=3.0),
        Noisy(Linear(5, weight_scale=3.0), 0.8),
    ),
    # Without correlation, `Correlated` is independent N(0, 0.7²).
    "normal": (
        OneStepOracle(7, 5, 0.49, input_kurtosis=3.0),
        Correlated(5, condition_number=1.0, input_range=0.7 * math.sqrt(12)),
    ),
}


@pytest.fixture(scope="module", params=CASES.values(), ids=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[OneStepOracle, Batch]:
    oracle, task = request.param
    return oracle, task.sample(np.random.default_rng(0), 10_000, oracle.observations, 5)


def test_loss_of_the_best_step(case: tuple[OneStepOracle, Batch]) -> None:
    oracle, batch = case
    learner = FixedRateDescent(oracle.learning_rate)
    assert_mean(task_losses(learner.predict(batch.x, batch.y, batch.x_query), batch.y_query), oracle.loss)


def test_loss_of_zero(case: tuple[OneStepOracle, Batch]) -> None:
    oracle, batch = case
    prediction = Zero().predict(batch.x, batch.y, batch.x_query)
    assert_mean(task_losses(prediction, batch.y_query), oracle.zero_loss)


def test_best_rate_of_a_sample_is_near(case: tuple[OneStepOracle, Batch]) -> None:
    oracle, batch = case
    # The rate solves E[t(y − ηt)] = 0, where t is the prediction at η = 1.
    unit = FixedRateDescent(1.0).predict(batch.x, batch.y, batch.x_query)
    balance = (unit * (batch.y_query - oracle.learning_rate * unit)).mean(axis=(1, 2))
    error = balance.std(ddof=1) / np.sqrt(len(balance)) / (unit**2).mean()
    assert abs(best_learning_rate(batch) - oracle.learning_rate) <= 4 * error <= 0.1 * oracle.learning_rate


def test_the_numbers_that_the_project_states() -> None:
    code = OneStepOracle(observations=10, inputs=10, input_variance=uniform_variance(1.0))
    text = OneStepOracle(observations=10, inputs=10, input_variance=uniform_variance(2.0))
    assert code.denominator == text.denominator == pytest.approx(19.8)
    assert (round(code.learning_rate, 3), round(code.loss, 5), round(code.zero_loss, 4)) == (6.061, 0.20623, 0.4167)
    assert (round(text.learning_rate, 3), round(text.loss, 4)) == (1.515, 0.8249)


def test_a_field_out_of_range_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^observations is 0"):
        OneStepOracle(0, 5, 0.3)
    with pytest.raises(ValueError, match=r"^noise is -1"):
        OneStepOracle(7, 5, 0.3, noise=-1.0)
