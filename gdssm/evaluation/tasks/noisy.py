"""Functions observed with noise."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_not_negative
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.streams import split_stream
from gdssm.evaluation.tasks.task import Task


@dataclass(frozen=True)
class Noisy:
    """A task whose observed outputs carry noise of a given standard deviation, normal or with heavy tails.

    The queries' answers carry none: a loss is about the function. Against noisy answers it would be ½σ² higher for
    every learner. Predictive intervals are about `Batch.observable`, which carries it.

    Raises:
        ValueError: if the noise is negative, or has so few degrees of freedom that it has no variance.
    """

    task: Task = field(default_factory=Linear)
    """The function beneath the noise."""
    noise: float = 0.5
    """σ, the standard deviation of the noise."""
    degrees_of_freedom: float = math.inf
    """ν: the noise is Student's t, scaled; infinite for normal noise."""

    def __post_init__(self) -> None:
        require_not_negative(noise=self.noise)
        if not self.degrees_of_freedom > 2:
            raise ValueError(f"degrees_of_freedom is {self.degrees_of_freedom}; a variance takes more than 2.")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks, as `Task.sample` says; the functions do not depend on the noise."""
        functions, observed = split_stream(rng, 2)
        (asked,) = observed.spawn(1)
        clean = self.task.sample(functions, tasks, observations, queries)
        return replace(
            clean,
            y=clean.y + self._noise(observed, clean.y.shape),
            noisy_y_query=clean.observable + self._noise(asked, clean.y_query.shape),
        )

    def _noise(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        freedom = self.degrees_of_freedom
        if math.isinf(freedom):
            return self.noise * rng.standard_normal(shape)
        return self.noise * math.sqrt((freedom - 2) / freedom) * rng.standard_t(freedom, shape)
