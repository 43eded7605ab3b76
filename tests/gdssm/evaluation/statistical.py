"""Equality of a mean and its expectation, up to chance."""

import math

from gdssm.arrays import Array

STANDARD_ERRORS = 4
"""Chance exceeds it once in 16,000 times; seeds are fixed, so a test that passed keeps passing."""


def assert_mean(values: Array, expected: float, rounding: float = 0.0) -> None:
    """Assert that independent values have the expected mean, within four standard errors.

    `rounding` is half a unit of the last digit of the expectation. A sample too small to distinguish the expectation
    from one 10 % away (from 0.1 standard deviations, if it is zero) fails.
    """
    values = values.ravel()
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    error = spread / math.sqrt(values.size)
    assert STANDARD_ERRORS * error <= 0.1 * (abs(expected) or spread), f"± {error} is too coarse to check {expected}"
    assert abs(mean - expected) <= STANDARD_ERRORS * error + rounding, f"{mean} ± {error} is not {expected}"
