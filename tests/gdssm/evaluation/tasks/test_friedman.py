import numpy as np
import pytest
from sklearn.datasets import make_friedman1

from gdssm.evaluation.tasks.nonlinear import Friedman
from tests.gdssm.evaluation.statistical import assert_mean


def test_it_is_the_function_of_scikit_learn_less_its_mean_up_to_the_order_of_inputs() -> None:
    u, expected = make_friedman1(50, 5, random_state=0)
    task = Friedman(inputs=5, input_range=3.0)
    used = np.arange(5)[None, None]
    np.testing.assert_allclose(task._function((u[None] - 0.5) * 3.0, used)[0, :, 0], expected - Friedman.MEAN)


def test_answers_have_mean_zero() -> None:
    batch = Friedman().sample(np.random.default_rng(0), 100_000, 1, 1)
    assert_mean(batch.y_query, 0.0)


def test_five_inputs_matter_others_in_each_task_the_same_for_context_and_queries() -> None:
    def mattering(side: str) -> np.ndarray:
        batch = Friedman(inputs=8).sample(np.random.default_rng(0), 200, 400, 400)
        x, y = (batch.x, batch.y) if side == "context" else (batch.x_query, batch.y_query)
        features = np.concatenate([x, x**2 - (x**2).mean(axis=1, keepdims=True)], axis=2)
        weights = (np.linalg.pinv(features) @ y)[..., 0]
        size: np.ndarray = np.abs(weights[:, :8]) + np.abs(weights[:, 8:])
        return np.sort(np.argsort(size, axis=1)[:, 3:], axis=1)

    found = mattering("context")
    assert (found == mattering("queries")).all(axis=1).mean() > 0.95
    assert len({tuple(row) for row in found.tolist()}) > 40  # of 56 ways to choose


def test_too_few_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^inputs is 4; the function has 5"):
        Friedman(inputs=4)
