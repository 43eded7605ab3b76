"""Linear functions: y = Wᵀx, one output or many."""

from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.inputs import uniform_inputs
from gdssm.evaluation.tasks.streams import split_stream


@dataclass(frozen=True)
class Linear:
    """x ~ U(−r/2, r/2)^D, every entry of W ~ N(0, s²), a W for each task, no noise (the paper's main task).

    Raises:
        ValueError: if a field is not positive.
    """

    inputs: int = 10
    """D."""
    outputs: int = 1
    """K; above 1 the task is vector-valued, with independent weights for each output."""
    input_range: float = 2.0
    """r: the paper's text has U(−1, 1), which is 2; its older public code has U(−½, ½), which is 1."""
    weight_scale: float = 1.0
    """s, the standard deviation of a weight."""

    def __post_init__(self) -> None:
        require_positive(**vars(self))

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks, as `Task.sample` says."""
        positions, weights = split_stream(rng, 2)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        W = self.weight_scale * weights.standard_normal((tasks, self.inputs, self.outputs))
        return Batch(x, x @ W, x_query, x_query @ W)
