"""Sines of unknown amplitude and phase."""

import math
from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.inputs import uniform_inputs
from gdssm.evaluation.tasks.streams import split_stream


@dataclass(frozen=True)
class Sine:
    """y = a·sin(x + φ) with one input, one output, and a and φ drawn independently (the paper's non-linear task).

    Raises:
        ValueError: if the input range is not positive, or an interval is upside down.
    """

    amplitude: tuple[float, float] = (0.1, 0.5)
    """The interval of a, uniform."""
    phase: tuple[float, float] = (0.0, math.pi)
    """The interval of φ in radians, uniform."""
    input_range: float = 10.0
    """r: x ~ U(−r/2, r/2)."""

    def __post_init__(self) -> None:
        require_positive(input_range=self.input_range)
        for name, (low, high) in (("amplitude", self.amplitude), ("phase", self.phase)):
            if not low <= high:
                raise ValueError(f"{name} is ({low}, {high}); give the lower end first.")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks, as `Task.sample` says."""
        positions, amplitudes, phases = split_stream(rng, 3)
        x, x_query = uniform_inputs(positions, (tasks, observations, 1), queries, self.input_range)
        amplitude = amplitudes.uniform(*self.amplitude, (tasks, 1, 1))
        phase = phases.uniform(*self.phase, (tasks, 1, 1))
        return Batch(x, amplitude * np.sin(x + phase), x_query, amplitude * np.sin(x_query + phase))
