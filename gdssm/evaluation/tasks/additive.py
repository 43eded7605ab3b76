"""Sums of a smooth function of every input."""

import math
from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.inputs import uniform_inputs
from gdssm.evaluation.tasks.streams import split_stream


@dataclass(frozen=True)
class Additive:
    """y = Σ_d a_d sin(2π p_d x_d/r + φ_d), a ~ N(0, s²), p uniform, φ ~ U(0, 2π): drawn for each task and output.

    Raises:
        ValueError: if a field is not positive, or the interval of the periods is upside down.
    """

    inputs: int = 4
    """D."""
    outputs: int = 1
    """K."""
    periods: tuple[float, float] = (0.5, 1.5)
    """The interval of p, the periods that fit into the range of an input."""
    input_range: float = 2.0
    """r: x ~ U(−r/2, r/2)^D."""
    scale: float = 1.0
    """s; the variance of y is D·s²/2."""

    def __post_init__(self) -> None:
        require_positive(inputs=self.inputs, outputs=self.outputs, input_range=self.input_range, scale=self.scale)
        low, high = self.periods
        if not 0 < low <= high:
            raise ValueError(f"periods is ({low}, {high}); give two positive numbers, the lower end first.")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks, as `Task.sample` says."""
        positions, amplitudes, periods, phases = split_stream(rng, 4)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        shape = (tasks, 1, self.inputs, self.outputs)
        amplitude = self.scale * amplitudes.standard_normal(shape)
        rate = 2 * math.pi / self.input_range * periods.uniform(*self.periods, shape)
        phase = phases.uniform(0, 2 * math.pi, shape)

        def function(inputs: Array) -> Array:
            y: Array = (amplitude * np.sin(rate * inputs[..., None] + phase)).sum(axis=2)
            return y

        return Batch(x, function(x), x_query, function(x_query))
