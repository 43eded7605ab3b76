"""What the tests of the evaluation share: a batch whose sizes cannot be confused, and statistical equality."""

import math
from typing import Protocol

import numpy as np
import pytest

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.noisy_linear import NoisyLinear

STANDARD_ERRORS = 4


class AssertMean(Protocol):
    def __call__(self, values: Array, expected: float, rounding: float = 0.0) -> None: ...


@pytest.fixture(scope="session")
def assert_mean() -> AssertMean:
    """Independent values have the expected mean, within four of their own standard errors.

    `rounding` is half a unit of the last digit that the expectation is known to.
    """

    def check(values: Array, expected: float, rounding: float = 0.0) -> None:
        values = values.ravel()
        mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(values.size)
        assert abs(mean - expected) <= STANDARD_ERRORS * error + rounding, f"{mean} ± {error} is not {expected}"
        assert STANDARD_ERRORS * error <= 0.05 * abs(expected) + 0.05, f"± {error} is too coarse to check {expected}"

    return check


@pytest.fixture
def batch() -> Batch:
    """B = 2, N = 7, D = 5, K = 3, M = 11, with noise: no two axes alike, and no learner is exact."""
    task = NoisyLinear(Linear(inputs=5, outputs=3), noise=0.3)
    return task.sample(np.random.default_rng(11), tasks=2, observations=7, queries=11)


@pytest.fixture
def short_batch() -> Batch:
    """N = 3 observations of D = 5 inputs: too few to know the weights."""
    task = NoisyLinear(Linear(inputs=5, outputs=2), noise=0.3)
    return task.sample(np.random.default_rng(12), tasks=7, observations=3, queries=4)
