import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.learners import FixedRateDescent
from gdssm.evaluation.metrics import sensitivity
from gdssm.evaluation.tasks.task import Batch


def test_a_linear_learner_s_sensitivity_is_its_transposed_weights(batch: Batch) -> None:
    learner = FixedRateDescent((0.3, 0.7), steps=2)
    expected = learner.weights(batch.x, batch.y).transpose(0, 2, 1)[:, None]
    found = sensitivity(learner.predict, batch.x, batch.y, batch.x_query)
    assert found.shape == (2, 11, 3, 5)
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=1e-10)


def quadratic_and_cubic(x: Array, y: Array, x_query: Array) -> Array:  # noqa: ARG001 - the signature of predict
    return np.concatenate([(x_query**2).sum(axis=2, keepdims=True), x_query[..., :1] ** 3], axis=2)


def test_the_error_is_of_second_order_in_the_step(batch: Batch) -> None:
    found = sensitivity(quadratic_and_cubic, batch.x, batch.y, batch.x_query, step=0.1)
    np.testing.assert_allclose(found[:, :, 0], 2 * batch.x_query, atol=1e-12)
    np.testing.assert_allclose(found[:, :, 1, 0], 3 * batch.x_query[..., 0] ** 2 + 0.1**2, atol=1e-12)
    np.testing.assert_allclose(found[:, :, 1, 1:], 0)


def test_a_step_that_is_not_positive_is_refused(batch: Batch) -> None:
    with pytest.raises(ValueError, match=r"^step is 0"):
        sensitivity(quadratic_and_cubic, batch.x, batch.y, batch.x_query, step=0)
