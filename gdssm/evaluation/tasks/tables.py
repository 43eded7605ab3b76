"""Random splits of tables, without replacement within a task."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from gdssm.arrays import Array
from gdssm.evaluation.tasks.task import Batch, split_stream

DIRECTORY = Path(__file__).parents[1] / "tables"


@dataclass(frozen=True, eq=False)
class TableSplits:
    """Random splits of one table.

    Raises:
        ValueError: x and y are not two tables of equally many rows.
    """

    x: Array
    """Inputs (R, D)."""
    y: Array
    """Outputs (R, K)."""

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or self.y.ndim != 2 or len(self.x) != len(self.y):
            raise ValueError(f"x has shape {self.x.shape} and y {self.y.shape}; give (R, D) and (R, K).")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`; y_query is the table's y, with its noise.

        Raises:
            ValueError: The table has fewer rows than a task needs.
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


@dataclass(frozen=True)
class ShippedTable:
    """Random splits of a table of `gdssm.evaluation.tables`, read when it is first sampled."""

    name: str
    """Of its file."""

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `TableSplits.sample`."""
        return TableSplits(*read_table(self.name)).sample(rng, tasks, observations, queries)


@cache
def read_table(name: str) -> tuple[Array, Array]:
    """Read x (R, D) and y (R, 1) of a shipped table, standardised and read-only; y is the last column of the file.

    Learners that know neither intercept nor units (ridge, descent from zero) can be compared on it.
    """
    numbers = np.loadtxt(DIRECTORY / f"{name}.csv", delimiter=",", skiprows=1)
    standard = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    standard.flags.writeable = False
    return standard[:, :-1], standard[:, -1:]
