"""A linear task out of the range that a model was trained on."""

from dataclasses import dataclass, field, replace

import numpy as np

from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.linear import Linear


@dataclass(frozen=True)
class Stretched:
    """A linear task with wider inputs and larger weights, in the context and in the queries (the paper's test).

    From one seed the stretched task is the same task in other units: x grows by one factor, y by both.

    Raises:
        ValueError: if a stretch is not positive.
    """

    linear: Linear = field(default_factory=Linear)
    """The task that is stretched."""
    input_stretch: float = 1.0
    """What the range of x is multiplied with."""
    weight_stretch: float = 1.0
    """What the standard deviation of the weights is multiplied with."""

    def __post_init__(self) -> None:
        require_positive(input_stretch=self.input_stretch, weight_stretch=self.weight_stretch)

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks, as `Task.sample` says."""
        stretched = replace(
            self.linear,
            input_range=self.linear.input_range * self.input_stretch,
            weight_scale=self.linear.weight_scale * self.weight_stretch,
        )
        return stretched.sample(rng, tasks, observations, queries)
