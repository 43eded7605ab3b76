import math
from dataclasses import replace

import numpy as np
import pytest

from gdssm.evaluation.tasks.linear import Linear, Noisy
from gdssm.evaluation.tasks.nonlinear import Friedman
from tests.gdssm.evaluation.statistical import assert_mean

TASK = Noisy(Linear(inputs=5, outputs=3), noise=0.3)


def test_noise_has_the_stated_variance_and_is_all_that_differs() -> None:
    noisy = TASK.sample(np.random.default_rng(0), 1000, 7, 11)
    clean = replace(TASK, noise=0.0).sample(np.random.default_rng(0), 1000, 7, 11)
    for noise in (noisy.y - clean.y, noisy.observable - clean.observable):
        assert_mean(noise, 0.0)
        assert_mean(noise**2, 0.3**2)
    assert np.array_equal(noisy.x, clean.x)
    assert np.array_equal(noisy.y_query, clean.y_query)


def test_heavy_tails_keep_the_standard_deviation() -> None:
    task = replace(TASK, degrees_of_freedom=20.0)
    noisy = task.sample(np.random.default_rng(0), 3000, 7, 11)
    clean = replace(task, noise=0.0).sample(np.random.default_rng(0), 3000, 7, 11)
    for noise in (noisy.y - clean.y, noisy.observable - clean.observable):
        assert_mean(noise**2, 0.3**2)
        assert_mean(noise**4, 3.375 * 0.3**4)  # 3 (ν − 2)/(ν − 4) times the square of the variance


def test_any_function_can_carry_noise_and_noise_adds_up() -> None:
    twice = Noisy(Noisy(Friedman(), noise=0.3), noise=0.4).sample(np.random.default_rng(0), 1000, 7, 11)
    assert_mean((twice.observable - twice.y_query) ** 2, 0.5**2)


def test_noise_at_the_queries_is_that_of_no_observation() -> None:
    batch = TASK.sample(np.random.default_rng(0), 2000, 1, 1)
    clean = replace(TASK, noise=0.0).sample(np.random.default_rng(0), 2000, 1, 1)
    assert_mean((batch.y - clean.y) * (batch.observable - clean.observable), 0.0)


def test_noise_is_independent_of_the_function() -> None:
    noisy = TASK.sample(np.random.default_rng(0), 2000, 7, 0)
    clean = replace(TASK, noise=0.0).sample(np.random.default_rng(0), 2000, 7, 0)
    assert_mean((noisy.y - clean.y) * clean.y, 0.0)


def test_negative_noise_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^noise is -1"):
        Noisy(noise=-1.0)


@pytest.mark.parametrize("freedom", [2.0, -math.inf, math.nan])
def test_noise_without_a_variance_is_refused(freedom: float) -> None:
    with pytest.raises(ValueError, match=r"^degrees_of_freedom is .*; a variance takes more than 2"):
        Noisy(degrees_of_freedom=freedom)
