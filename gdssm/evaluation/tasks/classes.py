"""Classification in context: the class is the largest of C linear functions."""

from dataclasses import dataclass

import numpy as np

from gdssm.arrays import Array
from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.task import Batch, split_stream, uniform_inputs


@dataclass(frozen=True)
class LinearClasses:
    """y is one-hot at argmax Wᵀx, x ~ U(−r/2, r/2)^D, every entry of W (D, C) normal with mean 0.

    Raises:
        ValueError: A field is not positive.
    """

    inputs: int = 5
    """D."""
    outputs: int = 3
    """C, the number of classes."""
    input_range: float = 2.0
    """r."""

    def __post_init__(self) -> None:
        require_positive(**vars(self))

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`."""
        positions, weights = split_stream(rng, 2)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        W = weights.standard_normal((tasks, self.inputs, self.outputs))
        return Batch(x, self._label(x @ W), x_query, self._label(x_query @ W))

    def _label(self, scores: Array) -> Array:
        labels: Array = np.eye(self.outputs)[scores.argmax(-1)]
        return labels
