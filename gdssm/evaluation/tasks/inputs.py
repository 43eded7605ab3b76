"""Uniform inputs of context and queries."""

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.tasks.streams import split_stream


def uniform_inputs(
    rng: np.random.Generator, context: tuple[int, int, int], queries: int, input_range: float
) -> tuple[Array, Array]:
    """Draw every coordinate from U(−r/2, r/2).

    Args:
        rng: source of randomness; context and queries get a stream each.
        context: the shape (B, N, D) of x.
        queries: M.
        input_range: r, the width of the interval.

    Returns:
        x (B, N, D) and x_query (B, M, D).
    """
    tasks, _, inputs = context
    observed, asked = split_stream(rng, 2)
    half = input_range / 2
    return observed.uniform(-half, half, context), asked.uniform(-half, half, (tasks, queries, inputs))
