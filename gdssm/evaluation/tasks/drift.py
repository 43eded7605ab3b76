"""Linear functions whose weights change along the context."""

import math
from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.inputs import uniform_inputs
from gdssm.evaluation.tasks.streams import split_stream


@dataclass(frozen=True)
class Drift:
    """y_i = W_iᵀx_i with W_{i+1} = ρ·W_i + √(1−ρ²)·s·ε: the function moves on, its scale does not.

    All queries of a task are answered by W_{N+1}, the weights one change after the last observation.

    Raises:
        ValueError: if a field is not positive, or ρ is outside [0, 1].
    """

    inputs: int = 10
    """D."""
    outputs: int = 1
    """K."""
    persistence: float = 0.95
    """ρ, the correlation of a weight with itself one observation later; 1 is the `Linear` task."""
    input_range: float = 2.0
    """r: x ~ U(−r/2, r/2)^D."""
    weight_scale: float = 1.0
    """s: every weight is N(0, s²) at every moment."""

    def __post_init__(self) -> None:
        require_positive(
            inputs=self.inputs, outputs=self.outputs, input_range=self.input_range, weight_scale=self.weight_scale
        )
        if not 0 <= self.persistence <= 1:
            raise ValueError(f"persistence is {self.persistence}; it must be between 0 and 1.")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks, as `Task.sample` says."""
        positions, weights = split_stream(rng, 2)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        steps = weights.standard_normal((tasks, observations + 1, self.inputs * self.outputs))
        path = self.weight_scale * self._accumulation(observations + 1) @ steps
        W = path.reshape(tasks, observations + 1, self.inputs, self.outputs)
        return Batch(x, np.einsum("bnd,bndk->bnk", x, W[:, :-1]), x_query, x_query @ W[:, -1])

    def _accumulation(self, length: int) -> Array:
        """The recurrence unrolled (length, length): row i holds what every ε has left in W_i."""
        moment = np.arange(length)
        age = moment[:, None] - moment
        left = np.where(age >= 0, np.power(self.persistence, np.maximum(age, 0)), 0.0)
        left[:, 1:] *= math.sqrt(1 - self.persistence**2)
        return left
