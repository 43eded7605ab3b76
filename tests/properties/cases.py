"""Random data for properties: sizes and scales from hypothesis, numbers from numpy."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Array = NDArray[np.floating]
ROUNDING = 1e-8
"""Two ways to one answer differ by rounding alone, relative to the largest entry."""
WITH_FEATURES = 1e-6
"""The same with fewer observations than features, where the last time on the path of descent multiplies it."""


@dataclass(frozen=True)
class Case:
    """Contexts with queries and weights, and a generator for whatever else a property needs."""

    x: Array
    y: Array
    weight: Array
    x_query: Array
    generator: np.random.Generator

    @property
    def labels(self) -> Array:
        """One-hot y: the largest entry of each row."""
        rows: Array = np.eye(self.y.shape[-1])[self.y.argmax(-1)]
        return rows

    def __repr__(self) -> str:
        return f"Case(x {self.x.shape}, y {self.y.shape}, x_query {self.x_query.shape})"


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw B contexts of at least two observations, columns of x with scales from 0.1 to 10."""
    batch, inputs, outputs, queries = (draw(st.integers(1, most)) for most in (3, 6, 3, 4))
    observations = draw(st.integers(2, 20))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = 10 ** generator.uniform(-1, 1, inputs)
    return Case(
        x=generator.normal(size=(batch, observations, inputs)) * scale,
        y=generator.normal(size=(batch, observations, outputs)),
        weight=generator.uniform(0.2, 2.0, (batch, observations)),
        x_query=generator.normal(size=(batch, queries, inputs)) * scale,
        generator=generator,
    )
