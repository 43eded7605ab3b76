"""What every distribution promises, whatever its functions are."""

from dataclasses import fields

import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.tasks.classes import LinearClasses
from gdssm.evaluation.tasks.linear import Correlated, Drift, HeavyTailed, Linear, Noisy, SparseLinear, Stretched
from gdssm.evaluation.tasks.nonlinear import Additive, Friedman, RandomNetwork, Sine
from gdssm.evaluation.tasks.task import Batch, Task

WIDE: tuple[Task, ...] = (
    Linear(inputs=5, outputs=3),
    Noisy(Linear(inputs=5, outputs=3)),
    Noisy(Linear(inputs=5, outputs=3), degrees_of_freedom=3.0),
    SparseLinear(inputs=5, outputs=3, nonzeros=2),
    Correlated(inputs=5, outputs=3),
    HeavyTailed(inputs=5, outputs=3),
    Stretched(Linear(inputs=5, outputs=3), input_stretch=2.0),
    Additive(inputs=5, outputs=3),
    RandomNetwork(inputs=5, outputs=3, hidden=13),
    Drift(inputs=5, outputs=3),
    LinearClasses(inputs=5, outputs=3),
)
TASKS: tuple[Task, ...] = (*WIDE, Sine(), Friedman())

each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)


def sample(task: Task, seed: int = 1, observations: int = 7, queries: int = 11) -> Batch:
    return task.sample(np.random.default_rng(seed), tasks=2, observations=observations, queries=queries)


def arrays(batch: Batch) -> list[Array]:
    found = (getattr(batch, field.name) for field in fields(Batch))
    return [array for array in found if array is not None]


def equal(a: Batch, b: Batch) -> set[bool]:
    return {np.array_equal(one, other) for one, other in zip(arrays(a), arrays(b), strict=True)}


@pytest.mark.parametrize("task", WIDE, ids=lambda task: type(task).__name__)
def test_axes_are_tasks_observations_features(task: Task) -> None:
    batch = sample(task)
    assert (batch.x.shape, batch.y.shape) == ((2, 7, 5), (2, 7, 3))
    assert (batch.x_query.shape, batch.y_query.shape) == ((2, 11, 5), (2, 11, 3))


@each_task
def test_double_precision(task: Task) -> None:
    assert {array.dtype for array in arrays(sample(task))} == {np.dtype(np.float64)}


@each_task
def test_a_seed_decides_every_array(task: Task) -> None:
    assert equal(sample(task, seed=1), sample(task, seed=1)) == {True}
    assert equal(sample(task, seed=1), sample(task, seed=2)) == {False}


@each_task
def test_the_next_sample_is_another_and_does_not_depend_on_the_size_of_this_one(task: Task) -> None:
    small, large = np.random.default_rng(1), np.random.default_rng(1)
    first = task.sample(small, 2, 7, 11)
    task.sample(large, 5, 13, 1)
    second = task.sample(small, 2, 7, 11)
    assert equal(first, second) == {False}
    assert equal(second, task.sample(large, 2, 7, 11)) == {True}


@each_task
def test_the_saved_state_of_a_generator_is_enough_to_go_on(task: Task) -> None:
    rng, resumed = np.random.default_rng(1), np.random.default_rng(99)
    task.sample(rng, 2, 7, 11)
    resumed.bit_generator.state = rng.bit_generator.state
    assert equal(task.sample(rng, 2, 7, 11), task.sample(resumed, 2, 7, 11)) == {True}


@each_task
def test_more_queries_leave_the_context_as_it_was(task: Task) -> None:
    few, many = sample(task, queries=1), sample(task, queries=23)
    assert np.array_equal(few.x, many.x)
    assert np.array_equal(few.y, many.y)


@each_task
def test_more_observations_leave_the_queries_as_they_were(task: Task) -> None:
    few, many = sample(task, observations=1), sample(task, observations=13)
    assert np.array_equal(few.x_query, many.x_query)
    if not isinstance(task, Drift):  # which moves on with each of them
        assert np.array_equal(few.observable, many.observable)


@each_task
def test_tasks_of_a_batch_differ(task: Task) -> None:
    batch = sample(task)
    assert not np.any(batch.x[0] == batch.x[1])
    assert not np.any(batch.x_query[0] == batch.x_query[1])


@each_task
def test_one_observation_and_none(task: Task) -> None:
    assert sample(task, observations=1).x.shape[1] == 1
    empty = sample(task, observations=0, queries=0)
    assert empty.y.shape[:2] == empty.y_query.shape[:2] == (2, 0)
