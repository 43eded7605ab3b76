"""The references of the formulations are the best ones, and their jobs run in other processes."""

import numpy as np
import torch

from gdssm.evaluation.tasks.classes import LinearClasses
from gdssm.evaluation.tasks.linear import Linear
from gdssm.reproduce.formulations import (
    MINI_BATCHES,
    cross_entropies,
    mini_batch_predictions,
    mini_batch_steps,
    softmax_step,
)
from gdssm.reproduce.processes import processor_seconds, run_all
from tests.closeness import assert_close


def test_no_rate_of_a_mini_batch_can_be_improved() -> None:
    sample = Linear(3).sample(np.random.default_rng(0), 500, 4 * MINI_BATCHES, 1)
    best = mini_batch_steps(sample, sample)
    for place in range(MINI_BATCHES):
        for factor in (0.99, 1.01):
            rates = np.array(best.rates)
            rates[place] *= factor
            squares = (mini_batch_predictions(rates, sample) - sample.y_query) ** 2
            assert 0.5 * squares.mean() > best.losses.mean()


def test_the_softmax_step_is_the_best_of_its_direction() -> None:
    sample = LinearClasses(3, 4).sample(np.random.default_rng(0), 2_000, 7, 1)
    best = softmax_step(sample, sample)
    direction = sample.x_query @ (sample.x.transpose(0, 2, 1) @ (sample.y - 0.25)) / 7
    for factor in (0.95, 1.05):
        assert cross_entropies(factor * best.rates[0] * direction, sample.y_query).mean() > best.losses.mean()


def test_cross_entropy_is_that_of_torch() -> None:
    scores, y = np.random.default_rng(0).normal(size=(5, 1, 3)), np.eye(3)[[0, 1, 2, 0, 1]][:, None]
    expected = torch.nn.functional.cross_entropy(
        torch.from_numpy(scores[:, 0]), torch.from_numpy(y[:, 0]), reduction="none"
    )
    assert_close(cross_entropies(scores, y), expected.numpy(), "losses")


def test_jobs_keep_their_order_and_their_processor_time_is_counted() -> None:
    before = processor_seconds()
    assert run_all(abs, [-3, 2, -1], 1) == run_all(abs, [-3, 2, -1], 2) == [3, 2, 1]
    assert processor_seconds() > before
