"""Rows of a table: each task sees some of them and is asked about others."""

from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.streams import split_stream


@dataclass(frozen=True, eq=False)
class Rows:
    """Random splits of one table, without replacement within a task.

    Raises:
        ValueError: if x and y are not two tables of as many rows.
    """

    x: Array
    """Inputs (R, D)."""
    y: Array
    """Outputs (R, K)."""

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or self.y.ndim != 2 or len(self.x) != len(self.y):
            raise ValueError(f"x has shape {self.x.shape} and y {self.y.shape}; give (R, D) and (R, K).")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw splits, as `Task.sample` says; y_query is what the table has there, noise and all.

        Raises:
            ValueError: if the table has fewer rows than a task needs.
        """
        needed = observations + queries
        if needed > len(self.x):
            raise ValueError(
                f"The table has {len(self.x)} rows; {observations} observations and {queries} queries are {needed}."
            )
        (stream,) = split_stream(rng, 1)
        rows = np.stack([stream.permutation(len(self.x))[:needed] for _ in range(tasks)])
        x, y = self.x[rows], self.y[rows]
        return Batch(x[:, :observations], y[:, :observations], x[:, observations:], y[:, observations:])
