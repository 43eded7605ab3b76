"""Quantiles of Student's t distribution, for any degrees of freedom.

scipy has them too; it would double the size of an installation of the service. A test compares the two.
"""

from functools import lru_cache
from math import exp, inf, lgamma, log, log1p, pi
from statistics import NormalDist

LARGE = 1e7
"""Degrees of freedom from which the normal distribution is the same to 1e-7."""
TINY = 1e-300
FURTHEST = 1e100
STEPS, LARGEST_STEP, PRECISION = 200, 4.0, 1e-13


@lru_cache(maxsize=4096)
def quantile(probability: float, degrees_of_freedom: float) -> float:
    """Find the value below which the distribution has a probability.

    Args:
        probability: Above 0 and below 1.
        degrees_of_freedom: Above 0.

    Returns:
        The quantile; infinite where it is beyond floating point.
    """
    if probability == 0.5:
        return 0.0
    if degrees_of_freedom > LARGE:
        return NormalDist().inv_cdf(probability)
    tail = min(probability, 1.0 - probability)
    magnitude = _upper_quantile(tail, degrees_of_freedom)
    return magnitude if probability > 0.5 else -magnitude


def _upper_quantile(tail: float, freedom: float) -> float:
    """Find t > 0 with P(T > t) = tail: Newton's method on the logarithms of both, which is nearly a line far out."""
    t = max(-NormalDist().inv_cdf(tail), 1e-3)
    for _ in range(STEPS):
        found = _tail(t, freedom)
        step = log(found / tail) * found / (t * _density(t, freedom))
        t *= exp(max(-LARGEST_STEP, min(LARGEST_STEP, step)))
        if abs(step) < PRECISION:
            break
        if t > FURTHEST:
            return inf
    return t


def _density(t: float, freedom: float) -> float:
    constant = lgamma(0.5 * (freedom + 1.0)) - lgamma(0.5 * freedom) - 0.5 * log(freedom * pi)
    return exp(constant - 0.5 * (freedom + 1.0) * log1p(t * t / freedom))


def _tail(t: float, freedom: float) -> float:
    squared = t * t
    if squared < freedom:
        return 0.5 - 0.5 * _incomplete_beta(squared / (freedom + squared), 0.5, 0.5 * freedom)
    return 0.5 * _incomplete_beta(freedom / (freedom + squared), 0.5 * freedom, 0.5)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b) by its continued fraction (DLMF 8.17.22, https://dlmf.nist.gov/8.17), evaluated by Lentz's method."""
    if x <= 0.0:
        return 0.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _incomplete_beta(1.0 - x, b, a)
    front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a
    value, c, d = 1.0, 1.0, 0.0
    for m in range(500):
        if m == 0:
            term = 1.0
        elif m % 2 == 0:
            k = m // 2
            term = k * (b - k) * x / ((a + 2 * k - 1.0) * (a + 2 * k))
        else:
            k = (m - 1) // 2
            term = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1.0))
        d = 1.0 + term * d
        d = 1.0 / (d if abs(d) > TINY else TINY)
        c = 1.0 + term / (c if abs(c) > TINY else TINY)
        step = c * d
        value *= step
        if abs(step - 1.0) < 1e-15:
            break
    return front * (value - 1.0)
