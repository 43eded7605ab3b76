"""Linear functions of inputs with heavy tails."""

import math
from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.streams import split_stream


@dataclass(frozen=True)
class HeavyTailed:
    """y = Wᵀx, every coordinate of x Student's t: a few observations and queries lie far from the rest.

    The variance of a coordinate is r²/12, as in a `Linear` task: predicting zero is exactly as wrong there as here.

    Raises:
        ValueError: if a field is not positive, or there are so few degrees of freedom that x has no variance.
    """

    inputs: int = 10
    """D."""
    outputs: int = 1
    """K."""
    degrees_of_freedom: float = 3.0
    """ν, above 2."""
    input_range: float = 2.0
    """r, for the variance r²/12."""
    weight_scale: float = 1.0
    """s: every weight is N(0, s²)."""

    def __post_init__(self) -> None:
        require_positive(**vars(self))
        if not self.degrees_of_freedom > 2:
            raise ValueError(f"degrees_of_freedom is {self.degrees_of_freedom}; a variance takes more than 2.")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks, as `Task.sample` says."""
        observed, asked, weights = split_stream(rng, 3)
        freedom = self.degrees_of_freedom
        scale = self.input_range * math.sqrt((freedom - 2) / freedom / 12)
        x = scale * observed.standard_t(freedom, (tasks, observations, self.inputs))
        x_query = scale * asked.standard_t(freedom, (tasks, queries, self.inputs))
        W = self.weight_scale * weights.standard_normal((tasks, self.inputs, self.outputs))
        return Batch(x, x @ W, x_query, x_query @ W)
