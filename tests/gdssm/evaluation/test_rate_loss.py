import numpy as np
import pytest

from gdssm.evaluation.learners import FixedRateDescent
from gdssm.evaluation.learning_rates import RateLoss
from gdssm.evaluation.metrics import half_mean_squared_error
from gdssm.evaluation.tasks.linear import Linear, Noisy
from gdssm.evaluation.tasks.task import Batch
from tests.nonempty import nonempty


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 20, 50])
def test_it_is_the_loss_of_gradient_descent(steps: int, batch: Batch, short_batch: Batch) -> None:
    rng = np.random.default_rng(steps)
    for sample in (batch, short_batch):
        loss = RateLoss.of(sample, steps)
        for rates in nonempty(rng.uniform(0.1, 1.5, (5, steps))):
            descent = FixedRateDescent(tuple(rates.tolist()), steps)
            expected = half_mean_squared_error(descent.predict(sample.x, sample.y, sample.x_query), sample.y_query)
            assert loss(rates) == pytest.approx(expected, rel=1e-8)


def test_the_slope_is_the_derivative_of_the_values(batch: Batch) -> None:
    loss = RateLoss.of(batch, 4)
    rates = np.array([0.3, 0.9, 0.5, 1.2])
    numeric = [(loss.values(rates + move) - loss.values(rates - move)) / 2e-3 for move in 1e-3 * np.eye(4)]
    np.testing.assert_allclose(loss.slope(rates), np.stack(numeric, axis=1), rtol=1e-9, atol=1e-10)


def test_a_batch_leaves_only_small_arrays() -> None:
    batch = Noisy(Linear(inputs=5, outputs=3)).sample(np.random.default_rng(0), 100, 7, 11)
    loss = RateLoss.of(batch, 4)
    assert (loss.nodes.shape, loss.gram.shape, loss.projection.shape) == ((4,), (4, 4), (4,))


def test_batches_without_information_on_rates_are_refused(batch: Batch) -> None:
    nothing = Batch(batch.x[:, :0], batch.y[:, :0], batch.x_query, batch.y_query)
    unasked = Batch(batch.x, batch.y, batch.x_query[:, :0], batch.y_query[:, :0])
    flat = Batch(0 * batch.x, batch.y, batch.x_query, batch.y_query)
    for sample, steps, name in ((nothing, 2, "observations"), (unasked, 2, "queries"), (batch, 0, "steps")):
        with pytest.raises(ValueError, match=f"^{name} is 0"):
            RateLoss.of(sample, steps)
    with pytest.raises(ValueError, match=r"^largest_eigenvalue is 0"):
        RateLoss.of(flat, 2)
