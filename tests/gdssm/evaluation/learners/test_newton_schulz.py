import numpy as np
import pytest

from gdssm.evaluation.learners import LeastSquares, NewtonSchulz
from gdssm.evaluation.tasks.task import Batch


@pytest.mark.parametrize("steps", [1, 3, 6])
def test_steps_are_those_of_the_definition(steps: int, batch: Batch) -> None:
    W = NewtonSchulz(steps).weights(batch.x, batch.y)
    for x, y, found in zip(batch.x, batch.y, W, strict=True):
        S = x.T @ x
        M = S / np.trace(S @ S)
        for _ in range(steps):
            M = 2 * M - M @ S @ M
        np.testing.assert_allclose(found, M @ x.T @ y, rtol=1e-10)


def test_the_exponent_of_the_error_doubles(batch: Batch) -> None:
    target = LeastSquares().weights(batch.x, batch.y)
    S = batch.x.transpose(0, 2, 1) @ batch.x
    eigenvalues, basis = np.linalg.eigh(S)
    initial = 1 - eigenvalues**2 / (eigenvalues**2).sum(axis=1, keepdims=True)
    for steps in (1, 2, 5):
        error = basis.transpose(0, 2, 1) @ (target - NewtonSchulz(steps).weights(batch.x, batch.y))
        expected = initial[..., None] ** 2**steps * (basis.transpose(0, 2, 1) @ target)
        np.testing.assert_allclose(error, expected, atol=1e-10)


def test_it_leads_to_least_squares_and_stays(batch: Batch, short_batch: Batch) -> None:
    for sample in (batch, short_batch):
        expected = LeastSquares().weights(sample.x, sample.y)
        for steps in (25, 60):
            np.testing.assert_allclose(NewtonSchulz(steps).weights(sample.x, sample.y), expected, atol=1e-7)


def test_no_step_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^steps is 0"):
        NewtonSchulz(0)
