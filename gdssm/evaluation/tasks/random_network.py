"""Random networks of two layers."""

import math
from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.inputs import uniform_inputs
from gdssm.evaluation.tasks.streams import split_stream


@dataclass(frozen=True)
class RandomNetwork:
    """y = Aᵀ·relu(Wᵀx), W ~ N(0, 1), A ~ N(0, 2s²/H): a network for each task (after Garg et al. 2022).

    The 2/H makes y as large as in a `Linear` task of the same s.

    Raises:
        ValueError: if a field is not positive.
    """

    inputs: int = 10
    """D."""
    outputs: int = 1
    """K."""
    hidden: int = 100
    """H, the width of the hidden layer."""
    input_range: float = 2.0
    """r: x ~ U(−r/2, r/2)^D."""
    weight_scale: float = 1.0
    """s, the scale of y."""

    def __post_init__(self) -> None:
        require_positive(**vars(self))

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks, as `Task.sample` says."""
        positions, first, second = split_stream(rng, 3)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        W = first.standard_normal((tasks, self.inputs, self.hidden))
        A = self.weight_scale * math.sqrt(2 / self.hidden) * second.standard_normal((tasks, self.hidden, self.outputs))
        return Batch(x, np.maximum(x @ W, 0) @ A, x_query, np.maximum(x_query @ W, 0) @ A)
