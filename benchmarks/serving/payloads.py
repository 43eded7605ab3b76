"""What is asked: three sizes of a context and its queries, seeded, with every digit that a float has."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SIZES = {"S": (10, 10, 1), "M": (100, 10, 10), "L": (1000, 32, 10)}
"""Observations N, inputs D and queries M of each payload."""


@dataclass(frozen=True)
class Payload:
    """A context of N observations with scalar y, and M queries."""

    x: Array
    """(N, D)."""
    y: Array
    """(N,)."""
    query: Array
    """(M, D)."""


def payload(name: str) -> Payload:
    """Make the payload of a name: a noisy linear task, the same every time."""
    observations, inputs, queries = SIZES[name]
    generator = np.random.default_rng(observations)
    x = generator.uniform(-1, 1, (observations, inputs))
    y = x @ generator.normal(size=inputs) + 0.1 * generator.normal(size=observations)
    return Payload(x, y, generator.uniform(-1, 1, (queries, inputs)))
