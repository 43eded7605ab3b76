import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.learners import FixedRateDescent, LeastSquares, squared_error_gradient
from gdssm.evaluation.tasks.task import Batch


def literal_descent(x: Array, y: Array, rates: tuple[float, ...]) -> Array:
    """One task (N, D), (N, K): the definition, one observation and one output at a time."""
    (N, D), K = x.shape, y.shape[1]
    W = np.zeros((D, K))
    for rate in rates:
        gradient = np.zeros((D, K))
        for i in range(N):
            for k in range(K):
                gradient[:, k] += (W[:, k] @ x[i] - y[i, k]) * x[i] / N
        W = W - rate * gradient
    return W


@pytest.mark.parametrize("rates", [(0.9,), (0.3, 1.1), (0.2, 0.9, 0.4, 0.1, 1.3)])
def test_steps_are_those_of_the_definition(rates: tuple[float, ...], batch: Batch) -> None:
    W = FixedRateDescent(rates, steps=len(rates)).weights(batch.x, batch.y)
    for task in range(2):
        np.testing.assert_allclose(W[task], literal_descent(batch.x[task], batch.y[task], rates), rtol=1e-12)


def test_one_rate_serves_all_steps(batch: Batch) -> None:
    shared, spelled = FixedRateDescent(0.4, steps=3), FixedRateDescent((0.4, 0.4, 0.4), steps=3)
    np.testing.assert_array_equal(shared.weights(batch.x, batch.y), spelled.weights(batch.x, batch.y))


def test_the_gradient_is_that_of_half_the_mean_squared_error(batch: Batch) -> None:
    W = np.random.default_rng(0).standard_normal((2, 5, 3))
    gradient = squared_error_gradient(batch.x, batch.y, W)

    def loss(weights: Array) -> float:
        return float(0.5 * ((batch.y[1] - batch.x[1] @ weights[1]) ** 2).sum() / 7)

    for d in range(5):
        for k in range(3):
            move = np.zeros((2, 5, 3))
            move[1, d, k] = 1e-3
            assert gradient[1, d, k] == pytest.approx((loss(W + move) - loss(W - move)) / 2e-3)


@pytest.mark.slow
def test_many_steps_lead_to_least_squares(batch: Batch, short_batch: Batch) -> None:
    for sample in (batch, short_batch):
        far = FixedRateDescent(1.0, steps=20_000).weights(sample.x, sample.y)
        np.testing.assert_allclose(far, LeastSquares().weights(sample.x, sample.y), atol=1e-8)


def test_rates_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^learning_rate has 2 entries for 3 steps"):
        FixedRateDescent((0.1, 0.2), steps=3)
    with pytest.raises(ValueError, match=r"^learning_rate is -0.1"):
        FixedRateDescent((0.1, -0.1), steps=2)
    with pytest.raises(ValueError, match=r"^steps is 0"):
        FixedRateDescent(0.1, steps=0)
