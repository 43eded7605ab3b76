"""Linear functions observed with noise."""

from dataclasses import dataclass, field, replace

import numpy as np

from gdssm.evaluation.checks import require_not_negative
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.streams import split_stream


@dataclass(frozen=True)
class NoisyLinear:
    """A linear task whose observed outputs carry N(0, σ²).

    The queries' answers carry none: a loss is about the function. Against noisy answers it would be ½σ² higher for
    every learner.

    Raises:
        ValueError: if the noise is negative.
    """

    linear: Linear = field(default_factory=Linear)
    """The function beneath the noise."""
    noise: float = 0.5
    """σ, the standard deviation of the noise."""

    def __post_init__(self) -> None:
        require_not_negative(noise=self.noise)

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks, as `Task.sample` says; the functions do not depend on the noise."""
        functions, noise = split_stream(rng, 2)
        clean = self.linear.sample(functions, tasks, observations, queries)
        return replace(clean, y=clean.y + self.noise * noise.standard_normal(clean.y.shape))
