import numpy as np
import pytest

from gdssm.evaluation.tasks.nonlinear import RandomNetwork
from tests.gdssm.evaluation.statistical import assert_mean


def test_answers_are_as_large_as_a_linear_task_s() -> None:
    task = RandomNetwork(inputs=5, outputs=3, hidden=20, input_range=2.0, weight_scale=0.5)
    batch = task.sample(np.random.default_rng(0), 20_000, 1, 1)
    assert_mean((batch.y_query**2).mean(axis=(1, 2)), 5 * 2.0**2 / 12 * 0.5**2)


def test_one_hidden_unit_is_silent_on_half_of_the_inputs_and_keeps_its_sign() -> None:
    y = RandomNetwork(inputs=5, outputs=3, hidden=1).sample(np.random.default_rng(0), 50, 400, 1).y
    assert 0.4 < (y == 0).mean() < 0.6
    assert np.all((y >= 0).all(axis=1) | (y <= 0).all(axis=1))


def test_no_linear_function_fits() -> None:
    batch = RandomNetwork(inputs=5).sample(np.random.default_rng(0), 20, 200, 1)
    left = batch.y - batch.x @ (np.linalg.pinv(batch.x) @ batch.y)
    assert np.all((left**2).mean(axis=1) > 0.01 * (batch.y**2).mean(axis=1))


def test_a_network_without_hidden_units_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^hidden is 0"):
        RandomNetwork(hidden=0)
