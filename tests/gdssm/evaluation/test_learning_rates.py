from dataclasses import replace

import numpy as np
import pytest

from gdssm.evaluation.learners import FixedRateDescent
from gdssm.evaluation.learning_rates import RateLoss, best_learning_rate, best_learning_rates
from gdssm.evaluation.metrics import half_mean_squared_error
from gdssm.evaluation.tasks.linear import Linear, Noisy
from gdssm.evaluation.tasks.task import Batch, Task

LINEAR = Linear(inputs=5, outputs=3)
TASKS: dict[str, Task] = {"clean": LINEAR, "noisy": Noisy(LINEAR, 0.3), "very noisy": Noisy(LINEAR, 2.0)}

each_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())


def sample(task: Task) -> Batch:
    return task.sample(np.random.default_rng(0), 3000, 7, 2)


def loss(batch: Batch, rates: tuple[float, ...]) -> float:
    prediction = FixedRateDescent(rates, len(rates)).predict(batch.x, batch.y, batch.x_query)
    return half_mean_squared_error(prediction, batch.y_query)


@each_task
@pytest.mark.parametrize("steps", [1, 2, 5, 10])
def test_no_other_shared_rate_is_better(task: Task, steps: int) -> None:
    batch = sample(task)
    rate = best_learning_rate(batch, steps)
    best = loss(batch, (rate,) * steps)
    others = [loss(batch, (factor * rate,) * steps) for factor in (0.01, 0.3, 0.99, 1.01, 1.5, 3.0)]
    assert min(others) > best


@each_task
@pytest.mark.parametrize("steps", [1, 2, 3, 6])
def test_no_other_rates_are_better(task: Task, steps: int) -> None:
    batch = sample(task)
    rates = np.array(best_learning_rates(batch, steps))
    reduced = RateLoss.of(batch, steps)
    rng = np.random.default_rng(1)
    near = rates * np.exp(rng.uniform(-0.1, 0.1, (300, steps)))
    far = rates.mean() * np.exp(rng.uniform(-3, 2, (300, steps)))
    best = reduced(rates)
    assert min(reduced(other) for other in (*near, *far)) >= best * (1 - 1e-9)
    assert loss(batch, tuple(rates.tolist())) == pytest.approx(best)


@pytest.mark.slow
@each_task
def test_own_rates_are_at_least_as_good_as_a_shared_one(task: Task) -> None:
    batch = sample(task)
    for steps in (1, 2, 5):
        shared = loss(batch, (best_learning_rate(batch, steps),) * steps)
        assert loss(batch, best_learning_rates(batch, steps)) <= shared * (1 + 1e-9)


def test_rates_reach_the_best_polynomial() -> None:
    """Without noise the best polynomial of all, complex roots allowed, has real ones: there is nothing left to gain."""
    batch = sample(LINEAR)
    for steps in (2, 5):
        reduced = RateLoss.of(batch, steps)
        free = np.linalg.solve(reduced.gram, reduced.projection)
        lowest = 0.5 * (reduced.energy - reduced.projection @ free)
        assert reduced(np.array(best_learning_rates(batch, steps))) == pytest.approx(lowest, rel=1e-6)


def test_the_best_single_step_is_the_closed_form_of_the_sample() -> None:
    batch = sample(Noisy(LINEAR, 0.3))
    unit = FixedRateDescent(1.0).predict(batch.x, batch.y, batch.x_query)
    expected = (unit * batch.y_query).sum() / (unit**2).sum()
    assert best_learning_rate(batch) == pytest.approx(expected)
    assert best_learning_rates(batch, 1) == pytest.approx((expected,))


def test_rates_are_in_rising_order() -> None:
    rates = best_learning_rates(sample(LINEAR), 5)
    assert len(rates) == 5
    assert list(rates) == sorted(rates)
    assert rates[-1] > 2 * rates[0]


def test_rates_scale_with_the_inverse_of_the_squared_inputs() -> None:
    batch = sample(LINEAR)
    wide = replace(batch, x=10 * batch.x, x_query=10 * batch.x_query)
    assert 100 * best_learning_rate(wide, 3) == pytest.approx(best_learning_rate(batch, 3), rel=1e-6)
    assert 100 * np.array(best_learning_rates(wide, 3)) == pytest.approx(best_learning_rates(batch, 3), rel=1e-3)


def test_answers_that_do_not_follow_from_the_context_are_refused() -> None:
    batch = sample(LINEAR)
    with pytest.raises(ValueError, match=r"^batch.y_query does not follow from its context"):
        best_learning_rate(replace(batch, y_query=-batch.y_query))
    with pytest.raises(ValueError, match=r"^batch.y_query does not follow from its context"):
        best_learning_rates(replace(batch, y_query=0 * batch.y_query), 3)
