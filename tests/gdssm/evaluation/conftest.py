"""Batches whose sizes cannot be confused."""

import numpy as np
import pytest

from gdssm.evaluation.tasks.linear import Linear, Noisy
from gdssm.evaluation.tasks.task import Batch


@pytest.fixture
def batch() -> Batch:
    """B = 2, N = 7, D = 5, K = 3, M = 11, with noise: no two axes alike, and no learner is exact."""
    task = Noisy(Linear(inputs=5, outputs=3), noise=0.3)
    return task.sample(np.random.default_rng(11), tasks=2, observations=7, queries=11)


@pytest.fixture
def short_batch() -> Batch:
    """N = 3 observations of D = 5 inputs: too few to know the weights."""
    task = Noisy(Linear(inputs=5, outputs=2), noise=0.3)
    return task.sample(np.random.default_rng(12), tasks=7, observations=3, queries=4)
