"""Synthetic regression tables of 3,000 rows, each with one known structure."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import make_friedman1, make_friedman2, make_friedman3

Array = NDArray[np.float64]
ROWS = 3_000
SEED = 0


def friedman1() -> tuple[Array, Array]:
    """10 columns, 5 of them used: a sine of a product, a square and two lines; noise 1."""
    return _pair(make_friedman1(ROWS, noise=1.0, random_state=SEED))


def friedman2() -> tuple[Array, Array]:
    """4 columns: the impedance of an electric circuit; noise 125, a third of the signal's standard deviation."""
    return _pair(make_friedman2(ROWS, noise=125.0, random_state=SEED))


def friedman3() -> tuple[Array, Array]:
    """4 columns: the phase angle of an electric circuit; noise 0.1."""
    return _pair(make_friedman3(ROWS, noise=0.1, random_state=SEED))


def sparse() -> tuple[Array, Array]:
    """30 normal columns, y linear in 3 of them; the variance of the noise is a third of the signal's."""
    x = _normal(30)
    return x, x[:, 0] - x[:, 1] + x[:, 2] + _noise(1.0)


def steps() -> tuple[Array, Array]:
    """6 normal columns, 3 of them with a jump each; noise 0.5."""
    x = _normal(6)
    return x, 2.0 * (x[:, 0] > 0) + 1.5 * (x[:, 1] > 0.5) - (x[:, 2] > -0.5) + _noise(0.5)


def interactions() -> tuple[Array, Array]:
    """8 normal columns: products of two pairs and one line; noise 0.5."""
    x = _normal(8)
    return x, x[:, 0] * x[:, 1] + x[:, 2] * x[:, 3] + 0.5 * x[:, 4] + _noise(0.5)


def waves() -> tuple[Array, Array]:
    """4 uniform columns: a sine of two periods, a cosine of one, and a line; noise 0.3."""
    x = np.random.default_rng(SEED).uniform(-1, 1, (ROWS, 4))
    return x, np.sin(2 * np.pi * x[:, 0]) + np.cos(np.pi * x[:, 1]) + 0.5 * x[:, 2] + _noise(0.3)


def noise() -> tuple[Array, Array]:
    """8 normal columns, and a y that depends on none of them."""
    return _normal(8), _noise(1.0)


SYNTHETIC: dict[str, Callable[[], tuple[Array, Array]]] = {
    maker.__name__: maker for maker in (friedman1, friedman2, friedman3, sparse, steps, interactions, waves, noise)
}


def _normal(columns: int) -> Array:
    return np.random.default_rng(SEED).normal(size=(ROWS, columns))


def _noise(deviation: float) -> Array:
    return np.random.default_rng(SEED + 1).normal(scale=deviation, size=ROWS)


def _pair(made: tuple[Array, Array]) -> tuple[Array, Array]:
    return made[0], made[1]
