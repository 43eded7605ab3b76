import numpy as np
import pytest

from gdssm.evaluation.metrics import half_mean_squared_error, task_losses

Y = np.random.default_rng(0).standard_normal((2, 11, 3))
PREDICTION = np.random.default_rng(1).standard_normal((2, 11, 3))


def test_half_of_the_mean_over_tasks_queries_and_outputs() -> None:
    total = 0.0
    for task in range(2):
        for query in range(11):
            total += 0.5 * sum((PREDICTION[task, query, k] - Y[task, query, k]) ** 2 for k in range(3)) / 3
    assert half_mean_squared_error(PREDICTION, Y) == pytest.approx(total / (2 * 11))


def test_one_unit_of_error_costs_a_half_whatever_the_number_of_outputs() -> None:
    for outputs in (1, 3, 7):
        zeros = np.zeros((2, 11, outputs))
        assert half_mean_squared_error(zeros + 1, zeros) == 0.5


def test_task_losses_are_each_task_s_own() -> None:
    losses = task_losses(PREDICTION, Y)
    assert losses.shape == (2,)
    assert losses[1] == pytest.approx(half_mean_squared_error(PREDICTION[1:], Y[1:]))
    assert losses.mean() == pytest.approx(half_mean_squared_error(PREDICTION, Y))


def test_an_output_too_few_is_refused_where_numpy_would_broadcast() -> None:
    with pytest.raises(ValueError, match=r"^y_query has shape \(2, 11, 1\) but prediction has \(2, 11, 3\)"):
        half_mean_squared_error(PREDICTION, Y[..., :1])
