"""Linear functions of a few of the inputs."""

from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.inputs import uniform_inputs
from gdssm.evaluation.tasks.streams import split_stream


@dataclass(frozen=True)
class SparseLinear:
    """y = Wᵀx with exactly S weights that are not zero, at random places (after Garg et al. 2022).

    Raises:
        ValueError: if a field is not positive, or S is more than D.
    """

    inputs: int = 10
    """D."""
    outputs: int = 1
    """K; every output chooses its own inputs."""
    nonzeros: int = 3
    """S, the inputs that matter to one output."""
    input_range: float = 2.0
    """r: x ~ U(−r/2, r/2)^D."""
    weight_scale: float = 1.0
    """s: the weights that are not zero are N(0, s²)."""

    def __post_init__(self) -> None:
        require_positive(**vars(self))
        if self.nonzeros > self.inputs:
            raise ValueError(f"nonzeros is {self.nonzeros}; it must be at most inputs, which is {self.inputs}.")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks, as `Task.sample` says."""
        positions, weights, places = split_stream(rng, 3)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        W = self.weight_scale * weights.standard_normal((tasks, self.inputs, self.outputs))
        W *= self._mask(places, tasks)
        return Batch(x, x @ W, x_query, x_query @ W)

    def _mask(self, rng: np.random.Generator, tasks: int) -> Array:
        """Ones where a weight stays (B, D, K), S of them along D."""
        first = np.arange(self.inputs)[:, None] < self.nonzeros
        mask = np.broadcast_to(first, (tasks, self.inputs, self.outputs)).astype(np.float64)
        return rng.permuted(mask, axis=1)
