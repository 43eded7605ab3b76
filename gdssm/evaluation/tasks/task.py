"""What every distribution of tasks offers."""

from typing import Protocol

import numpy as np

from gdssm.evaluation.tasks.batch import Batch


class Task(Protocol):
    """A distribution of regression tasks."""

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks.

        The same seed gives the same arrays, and how much is drawn does not change what `rng` gives next.

        Args:
            rng: source of randomness.
            tasks: B, the number of tasks.
            observations: N, the length of each context.
            queries: M, the number of queries of each task.

        Returns:
            The tasks; y_query is what the function really is there, without observation noise.
        """
        ...
