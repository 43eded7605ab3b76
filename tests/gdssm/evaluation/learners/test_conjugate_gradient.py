import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.learners import ConjugateGradient, FixedRateDescent, LeastSquares
from gdssm.evaluation.tasks.task import Batch
from tests.nonempty import nonempty


def krylov_minimum(x: Array, y: Array, steps: int) -> Array:
    """One task and output: the least-squares solution within span{b, Sb, …}, which defines the method."""
    S, b = x.T @ x, x.T @ y
    basis, _ = np.linalg.qr(np.stack([np.linalg.matrix_power(S, power) @ b for power in range(steps)], axis=1))
    return np.asarray(basis @ np.linalg.lstsq(x @ basis, y, rcond=None)[0], dtype=np.float64)


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_steps_minimise_over_the_krylov_space(steps: int, batch: Batch) -> None:
    W = ConjugateGradient(steps).weights(batch.x, batch.y)
    for task in range(2):
        for output in range(3):
            expected = krylov_minimum(batch.x[task], batch.y[task, :, output], steps)
            np.testing.assert_allclose(W[task, :, output], expected, atol=1e-9)


def test_as_many_steps_as_inputs_reach_least_squares(batch: Batch) -> None:
    expected = LeastSquares().weights(batch.x, batch.y)
    np.testing.assert_allclose(ConjugateGradient(5).weights(batch.x, batch.y), expected, atol=1e-9)
    assert np.abs(ConjugateGradient(4).weights(batch.x, batch.y) - expected).max() > 1e-4


def test_as_many_steps_as_observations_reach_the_minimum_norm(short_batch: Batch) -> None:
    expected = LeastSquares().weights(short_batch.x, short_batch.y)
    np.testing.assert_allclose(ConjugateGradient(3).weights(short_batch.x, short_batch.y), expected, atol=1e-9)


@pytest.mark.parametrize("steps", [10, 100, 1000])
def test_further_steps_stay(steps: int, batch: Batch, short_batch: Batch) -> None:
    for sample in (batch, short_batch):
        expected = LeastSquares().weights(sample.x, sample.y)
        np.testing.assert_allclose(ConjugateGradient(steps).weights(sample.x, sample.y), expected, atol=1e-9)


def test_no_gradient_steps_fit_the_context_better(batch: Batch) -> None:
    def misfit(learner: ConjugateGradient | FixedRateDescent) -> Array:
        errors: Array = ((batch.y - batch.x @ learner.weights(batch.x, batch.y)) ** 2).sum(axis=1)
        return errors

    best = misfit(ConjugateGradient(3))
    for rates in nonempty(np.random.default_rng(0).uniform(0, 3, (200, 3))):
        assert np.all(misfit(FixedRateDescent(tuple(rates.tolist()), 3)) > best)


def test_no_step_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^steps is 0"):
        ConjugateGradient(0)
