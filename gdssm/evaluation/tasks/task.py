"""The interface of a distribution of tasks, its samples, and random numbers for them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gdssm.arrays import Array
from gdssm.evaluation.checks import require_context


@dataclass(frozen=True, eq=False)
class Batch:
    """B regression tasks.

    Raises:
        ValueError: The shape of an array does not fit the others; the message names it.
    """

    x: Array
    """Observed inputs (B, N, D)."""
    y: Array
    """Observed outputs (B, N, K)."""
    x_query: Array
    """Inputs to predict for (B, M, D)."""
    y_query: Array
    """The right answers (B, M, K)."""
    noisy_y_query: Array | None = None
    """Observations at the queries (B, M, K) where observations are noisy; else None."""

    def __post_init__(self) -> None:
        require_context(self.x, self.y, self.x_query)
        expected = (*self.x_query.shape[:2], self.y.shape[2])
        for name, array in (("y_query", self.y_query), ("noisy_y_query", self.noisy_y_query)):
            if array is not None and array.shape != expected:
                raise ValueError(f"{name} has shape {array.shape}; x_query and y ask for (B, M, K) = {expected}.")

    @property
    def observable(self) -> Array:
        """Observations at the queries (B, M, K), which predictive intervals are about."""
        return self.y_query if self.noisy_y_query is None else self.noisy_y_query


class Task(Protocol):
    """A distribution of regression tasks."""

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """Draw tasks.

        A seed decides all arrays, and the sizes do not change what `rng` returns next.

        Args:
            rng: Source of randomness.
            tasks: B, the number of tasks.
            observations: N, the length of each context.
            queries: M, the number of queries of each task.

        Returns:
            The tasks; y_query is the function at the queries, without observation noise.
        """
        ...


def split_stream(rng: np.random.Generator, count: int) -> list[np.random.Generator]:
    """Seed independent generators from one.

    A task draws inputs, weights and noise from a stream each, so that the weights do not depend on the number of
    queries or on the noise. `rng` advances by a fixed amount that its saved bit state covers (`Generator.spawn` counts
    in the seed sequence instead, which a checkpoint of the bit state would lose).
    """
    seeds = rng.integers(0, 2**64, size=(count, 2), dtype=np.uint64)
    return [np.random.default_rng(seed.tolist()) for seed in seeds]


def uniform_inputs(
    rng: np.random.Generator, context: tuple[int, int, int], queries: int, input_range: float
) -> tuple[Array, Array]:
    """Draw x (B, N, D) and x_query (B, M, D) from U(−r/2, r/2); context and queries have a stream each.

    Args:
        rng: Source of randomness.
        context: The shape (B, N, D) of x.
        queries: M.
        input_range: r, the width of the interval.
    """
    tasks, _, inputs = context
    observed, queried = split_stream(rng, 2)
    half = input_range / 2
    return observed.uniform(-half, half, context), queried.uniform(-half, half, (tasks, queries, inputs))
