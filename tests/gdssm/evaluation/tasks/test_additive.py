import numpy as np
import pytest

from gdssm.evaluation.tasks.nonlinear import Additive
from tests.gdssm.evaluation.statistical import assert_mean


def test_the_variance_is_as_stated() -> None:
    batch = Additive(inputs=5, outputs=3, scale=0.5).sample(np.random.default_rng(0), 20_000, 1, 1)
    assert_mean(batch.y_query, 0.0)
    assert_mean((batch.y_query**2).mean(axis=(1, 2)), 5 * 0.5**2 / 2)


def test_one_input_is_a_sine_of_a_period_within_the_interval() -> None:
    batch = Additive(inputs=1, periods=(1.0, 1.0), input_range=3.0).sample(np.random.default_rng(0), 9, 50, 20)
    angle, asked = 2 * np.pi * batch.x / 3.0, 2 * np.pi * batch.x_query / 3.0
    weights = np.linalg.pinv(np.concatenate([np.sin(angle), np.cos(angle)], axis=2)) @ batch.y
    expected = np.concatenate([np.sin(asked), np.cos(asked)], axis=2) @ weights
    np.testing.assert_allclose(batch.y_query, expected, atol=1e-9)


def test_inputs_do_not_interact() -> None:
    """A second difference in two inputs is zero."""
    task = Additive(inputs=2, outputs=3, periods=(0.5, 1.5))
    drawn = task.sample(np.random.default_rng(0), 1, 4000, 0)
    corners = [
        np.argmin(np.abs(drawn.x[0] - corner).sum(axis=1)) for corner in ((0, 0), (0, 0.5), (0.5, 0), (0.5, 0.5))
    ]
    y = drawn.y[0, corners]
    np.testing.assert_allclose(y[0] + y[3], y[1] + y[2], atol=0.2)


@pytest.mark.parametrize("periods", [(1.5, 0.5), (0.0, 1.0)])
def test_an_interval_that_is_none_is_refused(periods: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"^periods is \("):
        Additive(periods=periods)
