import numpy as np
import pytest

from gdssm.evaluation.learners.least_squares import LeastSquares
from gdssm.evaluation.learners.ridge import Ridge
from gdssm.evaluation.metrics.loss import task_losses
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.noisy import Noisy


def test_it_is_least_squares_with_the_strength_as_further_observations(batch: Batch) -> None:
    strength = 0.7
    for x, y, W in zip(batch.x, batch.y, Ridge(strength).weights(batch.x, batch.y), strict=True):
        pulled_x, pulled_y = np.vstack([x, np.sqrt(strength) * np.eye(5)]), np.vstack([y, np.zeros((5, 3))])
        np.testing.assert_allclose(W, np.linalg.lstsq(pulled_x, pulled_y, rcond=None)[0], atol=1e-12)


def test_the_strength_counts_against_the_sum_over_observations(batch: Batch) -> None:
    twice = Ridge(1.4).weights(np.tile(batch.x, (1, 2, 1)), np.tile(batch.y, (1, 2, 1)))
    np.testing.assert_allclose(twice, Ridge(0.7).weights(batch.x, batch.y), rtol=1e-10)


def test_a_weak_ridge_is_least_squares(batch: Batch, short_batch: Batch) -> None:
    for sample in (batch, short_batch):
        weak = Ridge(1e-10).weights(sample.x, sample.y)
        np.testing.assert_allclose(weak, LeastSquares().weights(sample.x, sample.y), atol=1e-5)


@pytest.mark.parametrize(("noise", "scale"), [(0.5, 1.0), (0.5, 0.3), (2.0, 1.0)])
def test_the_bayes_strength_beats_all_others(noise: float, scale: float) -> None:
    batch = Noisy(Linear(inputs=5, weight_scale=scale), noise).sample(np.random.default_rng(0), 20_000, 7, 3)

    def losses(ridge: Ridge) -> np.ndarray:
        return task_losses(ridge.predict(batch.x, batch.y, batch.x_query), batch.y_query)

    best = Ridge.bayes(noise, scale)
    assert best.strength == pytest.approx(noise**2 / scale**2)
    for factor in (0.5, 2.0):
        excess = losses(Ridge(factor * best.strength)) - losses(best)
        assert excess.mean() > 4 * excess.std() / np.sqrt(len(excess))


def test_a_strength_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^strength is 0"):
        Ridge(0.0)
    with pytest.raises(ValueError, match=r"^noise is 0"):
        Ridge.bayes(0.0)
    with pytest.raises(ValueError, match=r"^weight_scale is 0"):
        Ridge.bayes(1.0, 0.0)
