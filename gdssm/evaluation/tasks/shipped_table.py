"""Rows of a table that ships."""

from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.tables.read import read
from gdssm.evaluation.tasks.batch import Batch
from gdssm.evaluation.tasks.rows import Rows


@dataclass(frozen=True)
class ShippedTable:
    """Random splits of a table of `gdssm.evaluation.tables`, read when it is first sampled."""

    name: str
    """As its file."""

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw splits, as `Rows.sample` says.

        Raises:
            ValueError: if the table has fewer rows than a task needs.
        """
        return Rows(*read(self.name)).sample(rng, tasks, observations, queries)
