from dataclasses import replace

import numpy as np
import pytest

from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.noisy_linear import NoisyLinear
from tests.gdssm.evaluation.statistical import assert_mean

TASK = NoisyLinear(Linear(inputs=5, outputs=3), noise=0.3)


def test_noise_has_the_stated_variance_and_is_all_that_differs() -> None:
    noisy = TASK.sample(np.random.default_rng(0), 1000, 7, 11)
    clean = replace(TASK, noise=0.0).sample(np.random.default_rng(0), 1000, 7, 11)
    noise = noisy.y - clean.y
    assert_mean(noise, 0.0)
    assert_mean(noise**2, 0.3**2)
    assert np.array_equal(noisy.x, clean.x)
    assert np.array_equal(noisy.y_query, clean.y_query)


def test_noise_is_independent_of_the_function() -> None:
    noisy = TASK.sample(np.random.default_rng(0), 2000, 7, 0)
    clean = replace(TASK, noise=0.0).sample(np.random.default_rng(0), 2000, 7, 0)
    assert_mean((noisy.y - clean.y) * clean.y, 0.0)


def test_negative_noise_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^noise is -1"):
        NoisyLinear(noise=-1.0)
