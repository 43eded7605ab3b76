"""Quantiles of Student's t distribution, for any degrees of freedom.

scipy has them too; it would double the size of an installation of the service. A test compares the two.
"""

from functools import lru_cache
from math import exp, inf, lgamma, log, log1p, pi
from statistics import NormalDist

LARGE = 1e7
"""Degrees of freedom from which the normal distribution, with a correction of first order, is the same to 1e-7."""
TINY = 1e-300
FURTHEST = log(1e300)
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
        normal = NormalDist().inv_cdf(probability)
        return normal + normal * (normal * normal + 1.0) / (4.0 * degrees_of_freedom)
    tail = min(probability, 1.0 - probability)
    magnitude = _upper_quantile(tail, max(degrees_of_freedom, TINY))
    return magnitude if probability > 0.5 else -magnitude


def _upper_quantile(tail: float, freedom: float) -> float:
    """Find t > 0 with P(T > t) = tail: Newton's method on the logarithms of both, which is nearly a line far out.

    Only logarithms are computed, because squares of t and densities leave floating point long before t does.
    """
    log_t = log(max(-NormalDist().inv_cdf(tail), 1e-3))
    for _ in range(STEPS):
        found = _log_tail(log_t, freedom)
        ratio = found - log_t - _log_density(log_t, freedom)
        step = (found - log(tail)) * exp(min(ratio, FURTHEST))
        log_t += max(-LARGEST_STEP, min(LARGEST_STEP, step))
        if abs(step) < PRECISION:
            break
        if log_t > FURTHEST:
            return inf
    return exp(log_t)


def _log_density(log_t: float, freedom: float) -> float:
    constant = lgamma(0.5 * (freedom + 1.0)) - lgamma(0.5 * freedom) - 0.5 * log(freedom * pi)
    return constant - 0.5 * (freedom + 1.0) * _log1p_exp(2.0 * log_t - log(freedom))


def _log_tail(log_t: float, freedom: float) -> float:
    """Compute log P(T > t) = log(I_x(f/2, 1/2) / 2) with x = f / (f + t²)."""
    a, log_ratio = 0.5 * freedom, 2.0 * log_t - log(freedom)
    log_x = -_log1p_exp(log_ratio)
    log_rest = log_ratio + log_x
    if log_x <= log((a + 1.0) / (a + 2.5)):
        return _log_incomplete_beta(log_x, log_rest, a, 0.5) - log(2.0)
    return log(0.5 - 0.5 * exp(_log_incomplete_beta(log_rest, log_x, 0.5, a)))


def _log1p_exp(value: float) -> float:
    return value + log1p(exp(-value)) if value > 0.0 else log1p(exp(value))


def _log_incomplete_beta(log_x: float, log_rest: float, a: float, b: float) -> float:
    """Log I_x(a, b) by its continued fraction (DLMF 8.17.22, https://dlmf.nist.gov/8.17), evaluated by Lentz's method.

    Args:
        log_x: Logarithm of x, which is at most (a + 1) / (a + b + 2).
        log_rest: Logarithm of 1 - x.
        a: Above 0.
        b: Above 0.
    """
    x = exp(log_x)
    front = a * log_x + b * log_rest + lgamma(a + b) - lgamma(a + 1.0) - lgamma(b)
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
    return front + log(value - 1.0)
