import numpy as np

from gdssm.evaluation.learners import LeastSquares
from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.task import Batch


def test_each_task_is_solved_as_alone(batch: Batch, short_batch: Batch) -> None:
    for sample in (batch, short_batch):
        for x, y, W in zip(sample.x, sample.y, LeastSquares().weights(sample.x, sample.y), strict=True):
            np.testing.assert_allclose(W, np.linalg.lstsq(x, y, rcond=None)[0], atol=1e-12)


def test_of_all_exact_fits_it_is_the_shortest(short_batch: Batch) -> None:
    W = LeastSquares().weights(short_batch.x, short_batch.y)
    np.testing.assert_allclose(short_batch.x @ W, short_batch.y, atol=1e-10)
    row_space = np.linalg.pinv(short_batch.x) @ short_batch.x
    np.testing.assert_allclose(row_space @ W, W, atol=1e-10)


def test_a_repeated_observation_does_not_break_it() -> None:
    batch = Linear(inputs=5).sample(np.random.default_rng(0), 2, 3, 4)
    twice_x, twice_y = np.repeat(batch.x, 4, axis=1), np.repeat(batch.y, 4, axis=1)
    np.testing.assert_allclose(
        LeastSquares().weights(twice_x, twice_y), LeastSquares().weights(batch.x, batch.y), atol=1e-10
    )


def test_without_noise_enough_observations_are_exact() -> None:
    batch = Linear(inputs=5, outputs=3).sample(np.random.default_rng(0), 100, 7, 11)
    np.testing.assert_allclose(LeastSquares().predict(batch.x, batch.y, batch.x_query), batch.y_query, atol=1e-9)
