import numpy as np
import pytest

from gdssm.evaluation.learners import LeastSquares, RidgeRegression
from gdssm.evaluation.metrics import task_losses
from gdssm.evaluation.tasks.linear import Linear, Noisy
from gdssm.evaluation.tasks.task import Batch


def test_it_is_least_squares_with_the_strength_as_further_observations(batch: Batch) -> None:
    strength = 0.7
    for x, y, W in zip(batch.x, batch.y, RidgeRegression(strength).weights(batch.x, batch.y), strict=True):
        pulled_x, pulled_y = np.vstack([x, np.sqrt(strength) * np.eye(5)]), np.vstack([y, np.zeros((5, 3))])
        np.testing.assert_allclose(W, np.linalg.lstsq(pulled_x, pulled_y, rcond=None)[0], atol=1e-12)


def test_the_strength_counts_against_the_sum_over_observations(batch: Batch) -> None:
    twice = RidgeRegression(1.4).weights(np.tile(batch.x, (1, 2, 1)), np.tile(batch.y, (1, 2, 1)))
    np.testing.assert_allclose(twice, RidgeRegression(0.7).weights(batch.x, batch.y), rtol=1e-10)


def test_a_weak_ridge_is_least_squares(batch: Batch, short_batch: Batch) -> None:
    for sample in (batch, short_batch):
        weak = RidgeRegression(1e-10).weights(sample.x, sample.y)
        np.testing.assert_allclose(weak, LeastSquares().weights(sample.x, sample.y), atol=1e-5)


@pytest.mark.parametrize(("noise", "scale"), [(0.5, 1.0), (0.5, 0.3), (2.0, 1.0)])
def test_the_strength_of_the_posterior_mean_beats_others(noise: float, scale: float) -> None:
    batch = Noisy(Linear(inputs=5, weight_scale=scale), noise).sample(np.random.default_rng(0), 20_000, 7, 3)

    def losses(ridge: RidgeRegression) -> np.ndarray:
        return task_losses(ridge.predict(batch.x, batch.y, batch.x_query), batch.y_query)

    best = RidgeRegression(noise**2 / scale**2)
    for factor in (0.5, 2.0):
        excess = losses(RidgeRegression(factor * best.strength)) - losses(best)
        assert excess.mean() > 4 * excess.std() / np.sqrt(len(excess))


def test_a_strength_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^strength is 0"):
        RidgeRegression(0.0)
