import numpy as np
import pytest

from gdssm.evaluation.tasks.linear import Correlated
from tests.gdssm.evaluation.statistical import assert_mean


def test_the_covariance_has_the_given_condition_number() -> None:
    for condition_number in (1.0, 7.0, 1000.0):
        eigenvalues = Correlated(inputs=5, condition_number=condition_number).eigenvalues
        assert eigenvalues[0] / eigenvalues[-1] == pytest.approx(condition_number)


def test_inputs_have_that_covariance() -> None:
    count = 40_000
    task = Correlated(inputs=5, condition_number=100.0)
    x = task.sample(np.random.default_rng(0), 2, count, 0).x
    measured = np.linalg.eigvalsh(x.transpose(0, 2, 1) @ x / count)[:, ::-1]
    # The eigenvalue of a sample covariance has a relative standard error of √(2/N).
    np.testing.assert_allclose(measured, np.broadcast_to(task.eigenvalues, (2, 5)), rtol=4 * np.sqrt(2 / count))


def test_queries_share_the_covariance_of_their_context() -> None:
    batch = Correlated(inputs=5, condition_number=1000.0).sample(np.random.default_rng(0), 3, 5000, 5000)
    _, basis = np.linalg.eigh(batch.x.transpose(0, 2, 1) @ batch.x)
    variances = ((batch.x_query @ basis) ** 2).mean(axis=1)
    assert np.all(variances[:, -1] > 500 * variances[:, 0])
    strange = ((batch.x_query[[1, 2, 0]] @ basis) ** 2).mean(axis=1)
    assert np.all(strange[:, -1] < 500 * strange[:, 0])


def test_inputs_are_correlated() -> None:
    x = Correlated(inputs=2, condition_number=100.0).sample(np.random.default_rng(0), 1, 10_000, 0).x[0]
    assert abs(np.corrcoef(x.T)[0, 1]) > 0.5


def test_zero_is_as_wrong_as_on_a_linear_task() -> None:
    task = Correlated(inputs=10, outputs=3, condition_number=100.0, input_range=1.0)
    batch = task.sample(np.random.default_rng(0), 20_000, 1, 1)
    assert_mean(0.5 * (batch.y_query**2).mean(axis=(1, 2)), 0.5 * 10 / 12)


def test_fields_that_make_no_covariance_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^inputs is 1; a correlation takes at least 2"):
        Correlated(inputs=1)
    with pytest.raises(ValueError, match=r"^condition_number is 0.5; it must be at least 1"):
        Correlated(condition_number=0.5)
