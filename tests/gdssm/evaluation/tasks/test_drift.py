import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.tasks.linear import Drift
from tests.gdssm.evaluation.statistical import assert_mean


def weight_path(task: Drift) -> Array:
    """With one input the weight of every moment can be read off: y/x, (B, N + 1)."""
    batch = task.sample(np.random.default_rng(0), 20_000, 4, 2)
    observed, asked = batch.y / batch.x, batch.y_query / batch.x_query
    np.testing.assert_allclose(asked[:, 0], asked[:, 1])
    return np.concatenate([observed[..., 0], asked[:, 0]], axis=1)


def test_a_weight_keeps_its_scale_and_forgets_geometrically() -> None:
    path = weight_path(Drift(inputs=1, persistence=0.8, weight_scale=2.0))
    for moment in range(5):
        assert_mean(path[:, moment] ** 2 / 4, 1.0)
        assert_mean(path[:, 0] * path[:, moment] / 4, 0.8**moment)
        assert_mean(path[:, moment] * path[:, 4] / 4, 0.8 ** (4 - moment))


def test_full_persistence_is_a_linear_task() -> None:
    batch = Drift(inputs=5, outputs=3, persistence=1.0).sample(np.random.default_rng(0), 2, 7, 11)
    W = np.linalg.pinv(batch.x) @ batch.y
    np.testing.assert_allclose(batch.x_query @ W, batch.y_query, atol=1e-10)


def test_no_persistence_is_a_new_weight_every_time() -> None:
    path = weight_path(Drift(inputs=1, persistence=0.0))
    assert_mean(path[:, 3] * path[:, 4], 0.0)
    assert_mean(path[:, 4] ** 2, 1.0)


def test_the_recurrence_is_the_stated_one() -> None:
    unrolled = Drift(persistence=0.9)._accumulation(4)
    fresh = np.sqrt(1 - 0.9**2)
    row = np.array([1.0, 0, 0, 0])
    for moment in range(4):
        np.testing.assert_allclose(unrolled[moment], row)
        row = 0.9 * row
        row[min(moment + 1, 3)] += fresh


@pytest.mark.parametrize("persistence", [-0.1, 1.1])
def test_persistence_outside_zero_and_one_is_refused(persistence: float) -> None:
    with pytest.raises(ValueError, match=r"^persistence is .*; it must be between 0 and 1"):
        Drift(persistence=persistence)
