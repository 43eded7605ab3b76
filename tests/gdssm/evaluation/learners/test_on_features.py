from dataclasses import replace

import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.learners import FixedRateDescent, Learner, LeastSquares, OnFeatures, Zero
from gdssm.evaluation.learning_rates import best_learning_rate
from gdssm.evaluation.metrics import task_losses
from gdssm.evaluation.tasks.nonlinear import Sine
from gdssm.evaluation.tasks.task import Batch
from tests.gdssm.evaluation.statistical import assert_mean


def sin_and_cos(x: Array) -> Array:
    return np.concatenate([np.sin(x), np.cos(x)], axis=2)


def losses(learner: Learner, batch: Batch) -> Array:
    return task_losses(learner.predict(batch.x, batch.y, batch.x_query), batch.y_query)


def test_both_context_and_queries_go_through_the_features(batch: Batch) -> None:
    behind = OnFeatures(LeastSquares(), sin_and_cos).predict(batch.x, batch.y, batch.x_query)
    before = LeastSquares().predict(sin_and_cos(batch.x), batch.y, sin_and_cos(batch.x_query))
    np.testing.assert_array_equal(behind, before)


def test_a_step_on_the_raw_input_gains_nothing_on_sines() -> None:
    batch = Sine().sample(np.random.default_rng(0), 20_000, 10, 4)
    one_step, zero = FixedRateDescent(best_learning_rate(batch)), Zero()
    assert 0.98 < losses(one_step, batch).mean() / losses(zero, batch).mean() < 1


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "expected", "rounding"), [(1, 0.0024, 0.00005), (4, 0.00004, 0.000005)])
def test_a_step_on_the_ideal_features_gains_tenfold(steps: int, expected: float, rounding: float) -> None:
    batch = Sine().sample(np.random.default_rng(0), 100_000, 10, 4)
    ideal = replace(batch, x=sin_and_cos(batch.x), x_query=sin_and_cos(batch.x_query))
    descent = FixedRateDescent(best_learning_rate(ideal, steps), steps)
    assert_mean(losses(OnFeatures(descent, sin_and_cos), batch), expected, rounding)


def test_least_squares_on_the_ideal_features_is_exact() -> None:
    batch = Sine().sample(np.random.default_rng(0), 1000, 10, 4)
    assert losses(OnFeatures(LeastSquares(), sin_and_cos), batch).mean() < 1e-20
