import numpy as np
import pytest

from gdssm.evaluation.tasks.linear import Linear
from tests.gdssm.evaluation.statistical import assert_mean


def test_inputs_are_uniform_over_the_range() -> None:
    batch = Linear(inputs=5, input_range=3.0).sample(np.random.default_rng(0), 2000, 7, 2)
    for x in (batch.x, batch.x_query):
        assert np.abs(x).max() <= 1.5
        assert_mean(x, 0.0)
        assert_mean(x**2, 3.0**2 / 12)
        assert_mean(x**4 / (3.0**2 / 12) ** 2, 1.8)


def test_context_and_queries_follow_one_matrix_for_each_task() -> None:
    batch = Linear(inputs=5, outputs=3, weight_scale=2.0).sample(np.random.default_rng(0), 1000, 7, 11)
    W = np.linalg.pinv(batch.x) @ batch.y
    np.testing.assert_allclose(batch.x_query @ W, batch.y_query, atol=1e-8)
    assert_mean(W, 0.0)
    assert_mean(W**2, 4.0)


def test_outputs_have_independent_weights() -> None:
    batch = Linear(inputs=5, outputs=2).sample(np.random.default_rng(0), 4000, 7, 0)
    W = np.linalg.pinv(batch.x) @ batch.y
    assert_mean(W[..., 0] * W[..., 1], 0.0)


@pytest.mark.parametrize("field", ["inputs", "outputs", "input_range", "weight_scale"])
def test_a_field_that_is_not_positive_is_refused_by_name(field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field} is 0"):
        Linear(**{field: 0})
