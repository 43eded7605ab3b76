"""The table that the project compares with: ½ · mean squared error at N = D = 10, x ~ U(−½, ½), no noise."""

import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.learners import FixedRateDescent, Learner, LeastSquares, RidgeRegression, Zero
from gdssm.evaluation.learning_rates import best_learning_rate, best_learning_rates
from gdssm.evaluation.metrics import task_losses
from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.task import Batch
from tests.gdssm.evaluation.statistical import assert_mean


@pytest.fixture(scope="module")
def batch() -> Batch:
    return Linear(inputs=10, input_range=1.0).sample(np.random.default_rng(0), 20_000, 10, 8)


def losses(learner: Learner, batch: Batch) -> Array:
    return task_losses(learner.predict(batch.x, batch.y, batch.x_query), batch.y_query)


@pytest.mark.parametrize(
    ("learner", "expected", "rounding"),
    [
        (Zero(), 0.4167, 0.00005),
        (RidgeRegression(1e-2), 0.028, 0.0005),
        (RidgeRegression(1e-3), 0.010, 0.0005),
        (FixedRateDescent((4.0, 12.0), steps=2), 0.1416, 0.00005),
    ],
    ids=["zero", "ridge 1e-2", "ridge 1e-3", "two steps (4, 12)"],
)
def test_fixed_references(learner: Learner, expected: float, rounding: float, batch: Batch) -> None:
    assert_mean(losses(learner, batch), expected, rounding)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("steps", "expected", "rounding"), [(1, 0.2062, 0.00005), (2, 0.157, 0.0005), (5, 0.109, 0.0005)]
)
def test_best_shared_rate(steps: int, expected: float, rounding: float, batch: Batch) -> None:
    assert_mean(losses(FixedRateDescent(best_learning_rate(batch, steps), steps), batch), expected, rounding)


@pytest.mark.slow
def test_ten_steps_with_a_shared_rate(batch: Batch) -> None:
    """0.0857 is the loss at η = 4.65; the best rate, near 4.9, gains another percent: 0.0847 on a million tasks."""
    assert_mean(losses(FixedRateDescent(4.65, 10), batch), 0.0857, 0.00005)
    best = losses(FixedRateDescent(best_learning_rate(batch, 10), 10), batch)
    assert_mean(best, 0.0847, 0.0003)
    assert best.mean() < 0.0857


@pytest.mark.slow
def test_a_rate_for_each_of_two_steps(batch: Batch) -> None:
    low, high = best_learning_rates(batch, 2)
    assert (round(low), round(high)) == (4, 12)
    assert_mean(losses(FixedRateDescent((low, high), 2), batch), 0.142, 0.0005)


@pytest.mark.slow
def test_least_squares_is_exact(batch: Batch) -> None:
    assert losses(LeastSquares(), batch).mean() < 1e-20


@pytest.mark.parametrize(("stretch", "one_step", "zero"), [(1.5, 1.17, 0.96), (2.0, 8.15, 1.71), (3.0, 120, 3.84)])
def test_a_fixed_rate_fails_on_stretched_inputs(stretch: float, one_step: float, zero: float) -> None:
    """The project's own figures come from fewer tasks; theirs and these differ by less than 5 %."""
    stretched = Linear(inputs=10, input_range=stretch).sample(np.random.default_rng(0), 20_000, 10, 1)
    assert_mean(losses(FixedRateDescent(6.061), stretched), one_step, 0.05 * one_step)
    assert_mean(losses(Zero(), stretched), zero, 0.05 * zero)
