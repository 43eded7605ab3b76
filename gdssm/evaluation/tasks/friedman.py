"""Friedman's first function."""

from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.inputs import uniform_inputs
from gdssm.evaluation.tasks.streams import split_stream

USED = 5
"""Inputs that matter."""
MEAN = 14.4133
"""Of the function over the unit cube: (10/π) ∫₀^π (1 − cos t)/t dt + 20/12 + 10/2 + 5/2, rounded."""


@dataclass(frozen=True)
class Friedman:
    """y = 10 sin(π u₁u₂) + 20 (u₃ − ½)² + 10 u₄ + 5 u₅ less its mean, u = ½ + x/r (Friedman 1991, MARS).

    Which inputs are u₁ … u₅ is drawn for each task; the others do not matter. y has a standard deviation of 4.9.

    Raises:
        ValueError: if there are fewer than five inputs, or the input range is not positive.
    """

    inputs: int = 10
    """D, at least 5."""
    input_range: float = 2.0
    """r: x ~ U(−r/2, r/2)^D."""

    def __post_init__(self) -> None:
        require_positive(input_range=self.input_range)
        if self.inputs < USED:
            raise ValueError(f"inputs is {self.inputs}; the function has {USED}.")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks, as `Task.sample` says."""
        positions, places = split_stream(rng, 2)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        everywhere = np.broadcast_to(np.arange(self.inputs), (tasks, self.inputs))
        used = places.permuted(everywhere, axis=1)[:, None, :USED]
        return Batch(x, self._function(x, used), x_query, self._function(x_query, used))

    def _function(self, x: Array, used: np.ndarray) -> Array:
        """Of (B, N, D) inputs, of which (B, 1, 5) are used: (B, N, 1)."""
        u = np.moveaxis(0.5 + np.take_along_axis(x, used, axis=2) / self.input_range, -1, 0)
        y: Array = 10 * np.sin(np.pi * u[0] * u[1]) + 20 * (u[2] - 0.5) ** 2 + 10 * u[3] + 5 * u[4] - MEAN
        return y[..., None]
