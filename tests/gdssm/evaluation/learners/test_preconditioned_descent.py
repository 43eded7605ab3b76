from dataclasses import replace

import numpy as np
import pytest

from gdssm.evaluation.learners.best_rates import best_learning_rate
from gdssm.evaluation.learners.gradient_descent import GradientDescent
from gdssm.evaluation.learners.preconditioned_descent import PreconditionedDescent, best_preconditioner
from gdssm.evaluation.metrics.loss import half_mean_squared_error
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.linear import Linear

RATES = (0.3, 0.7, 0.2)


def test_the_identity_changes_nothing(batch: Batch) -> None:
    plain = GradientDescent(RATES, steps=3).weights(batch.x, batch.y)
    through = PreconditionedDescent(np.eye(5), RATES, steps=3).weights(batch.x, batch.y)
    np.testing.assert_allclose(through, plain, rtol=1e-12)


def test_it_is_plain_descent_in_other_coordinates(batch: Batch) -> None:
    A = np.random.default_rng(0).standard_normal((5, 5)) / 2
    plain = GradientDescent(RATES, steps=3).predict(batch.x @ A, batch.y, batch.x_query @ A)
    through = PreconditionedDescent(A @ A.T, RATES, steps=3).predict(batch.x, batch.y, batch.x_query)
    np.testing.assert_allclose(through, plain, rtol=1e-10)


@pytest.fixture(scope="module")
def skewed() -> Batch:
    """Two inputs in units of their own, the same for all tasks."""
    batch = Linear(inputs=3).sample(np.random.default_rng(0), 4000, 7, 4)
    units = np.array([1.0, 3.0, 0.2])
    return replace(batch, x=batch.x * units, x_query=batch.x_query * units)


def loss(learner: GradientDescent | PreconditionedDescent, batch: Batch) -> float:
    return half_mean_squared_error(learner.predict(batch.x, batch.y, batch.x_query), batch.y_query)


def test_the_best_matrix_undoes_the_units(skewed: Batch) -> None:
    P = best_preconditioner(skewed)
    whitened = P * np.outer([1.0, 3.0, 0.2], [1.0, 3.0, 0.2])
    rate = np.trace(whitened) / 3
    np.testing.assert_allclose(whitened, rate * np.eye(3), atol=0.1 * rate)
    assert loss(PreconditionedDescent(P), skewed) < 0.8 * loss(GradientDescent(best_learning_rate(skewed)), skewed)


def test_no_other_matrix_is_better_on_its_sample(skewed: Batch) -> None:
    P = best_preconditioner(skewed)
    for i in range(3):
        for j in range(3):
            for factor in (-0.01, 0.01):
                other = P.copy()
                other[i, j] += factor * P[0, 0]
                assert loss(PreconditionedDescent(other), skewed) > loss(PreconditionedDescent(P), skewed)


def test_the_best_matrix_of_vector_outputs_has_the_inputs_size(batch: Batch) -> None:
    assert best_preconditioner(batch).shape == (5, 5)


def test_a_matrix_that_does_not_fit_is_refused(batch: Batch) -> None:
    with pytest.raises(ValueError, match=r"^preconditioner has shape \(5, 4\); give a square matrix"):
        PreconditionedDescent(np.ones((5, 4)))
    with pytest.raises(ValueError, match=r"^preconditioner is for 4 inputs; x has 5"):
        PreconditionedDescent(np.eye(4)).predict(batch.x, batch.y, batch.x_query)
    with pytest.raises(ValueError, match=r"^steps is 0"):
        PreconditionedDescent(np.eye(5), steps=0)
