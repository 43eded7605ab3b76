"""Linear functions of correlated inputs."""

from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.streams import split_stream


@dataclass(frozen=True)
class Correlated:
    """x ~ N(0, Σ) with a given condition number of Σ, and a random eigenbasis for each task (after Fu et al. 2023).

    The eigenvalues fall geometrically and their mean is r²/12, the variance of a `Linear` input: predicting zero is
    exactly as wrong there as here, whatever the condition number.

    Raises:
        ValueError: if a field is not positive, there are fewer than two inputs, or the condition number is below 1.
    """

    inputs: int = 10
    """D, at least 2."""
    outputs: int = 1
    """K."""
    condition_number: float = 100.0
    """Largest over smallest eigenvalue of Σ."""
    input_range: float = 2.0
    """r, for the mean variance r²/12."""
    weight_scale: float = 1.0
    """s: every weight is N(0, s²)."""

    def __post_init__(self) -> None:
        require_positive(outputs=self.outputs, input_range=self.input_range, weight_scale=self.weight_scale)
        if self.inputs < 2:
            raise ValueError(f"inputs is {self.inputs}; a correlation takes at least 2.")
        if not self.condition_number >= 1:
            raise ValueError(f"condition_number is {self.condition_number}; it must be at least 1.")

    @property
    def eigenvalues(self) -> Array:
        """The eigenvalues of Σ (D,), the largest first."""
        falling = np.geomspace(1.0, 1.0 / self.condition_number, self.inputs)
        eigenvalues: Array = falling / falling.mean() * self.input_range**2 / 12
        return eigenvalues

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks, as `Task.sample` says."""
        observed, asked, bases, weights = split_stream(rng, 4)
        # The sign of a column of the orthogonal factor is the algorithm's choice; N(0, 1) is blind to it.
        basis, _ = np.linalg.qr(bases.standard_normal((tasks, self.inputs, self.inputs)))
        root = np.sqrt(self.eigenvalues)[:, None] * basis.transpose(0, 2, 1)
        x = observed.standard_normal((tasks, observations, self.inputs)) @ root
        x_query = asked.standard_normal((tasks, queries, self.inputs)) @ root
        W = self.weight_scale * weights.standard_normal((tasks, self.inputs, self.outputs))
        return Batch(x, x @ W, x_query, x_query @ W)
