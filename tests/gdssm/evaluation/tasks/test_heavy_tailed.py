import numpy as np
import pytest

from gdssm.evaluation.tasks.linear import HeavyTailed
from tests.gdssm.evaluation.statistical import assert_mean


def test_zero_is_as_wrong_as_on_a_linear_task() -> None:
    task = HeavyTailed(inputs=5, outputs=3, degrees_of_freedom=6.0, input_range=1.0, weight_scale=0.5)
    batch = task.sample(np.random.default_rng(0), 20_000, 1, 1)
    assert_mean((batch.y_query**2).mean(axis=(1, 2)), 5 / 12 * 0.5**2)


@pytest.mark.parametrize("which", ["x", "x_query"])
def test_observations_and_queries_have_coordinates_far_out(which: str) -> None:
    x = getattr(HeavyTailed(inputs=5).sample(np.random.default_rng(0), 2, 20_000, 20_000), which)
    beyond = np.abs(x) > 5 * np.sqrt(4 / 12)
    # P(|t₃| > 5√3) = 0.0032; of a normal coordinate it would be 6e-7.
    assert beyond.mean() == pytest.approx(0.0032, rel=0.2)


def test_the_function_is_linear() -> None:
    batch = HeavyTailed(inputs=5, outputs=3).sample(np.random.default_rng(0), 4, 7, 11)
    W = np.linalg.pinv(batch.x) @ batch.y
    np.testing.assert_allclose(batch.x_query @ W, batch.y_query, atol=1e-9)


def test_too_few_degrees_of_freedom_for_a_variance_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^degrees_of_freedom is 2.0; a variance takes more than 2"):
        HeavyTailed(degrees_of_freedom=2.0)
