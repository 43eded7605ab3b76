"""How a learner's answer changes with the query."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_positive

Predict: TypeAlias = Callable[[Array, Array, Array], Array]
"""x (B, N, D), y (B, N, K), x_query (B, M, D) to predictions (B, M, K): the `predict` of any learner."""

NUMBERS_AT_ONCE = 10_000
"""Of the queries of one task, in one call."""


def sensitivity(predict: Predict, x: Array, y: Array, x_query: Array, step: float = 1e-4) -> Array:
    """The derivative of the prediction with respect to x_query, by central differences.

    Exact up to rounding for a prediction linear in x_query, with an error of order step² otherwise. For a model in
    single precision take a step near 1e-2. `predict` is given the moved queries together, as a model may have to
    read its context again for each call.

    Args:
        predict: whose derivative.
        x: observed inputs (B, N, D).
        y: observed outputs (B, N, K).
        x_query: where to take the derivative (B, M, D).
        step: how far to move each input, in units of x.

    Returns:
        ∂ŷ_k/∂x_d (B, M, K, D).

    Raises:
        ValueError: if the step is not positive, or as `predict`.
    """
    require_positive(step=step)
    batch, queries, inputs = x_query.shape
    moves = step * np.concatenate([np.eye(inputs), -np.eye(inputs)])
    together = max(1, NUMBERS_AT_ONCE // (queries * inputs))
    found = []
    for start in range(0, len(moves), together):
        moved = x_query[:, None] + moves[start : start + together, None]
        answers = predict(x, y, moved.reshape(batch, -1, inputs))
        found.append(answers.reshape(batch, -1, queries, answers.shape[-1]))
    up, down = np.split(np.concatenate(found, axis=1), 2, axis=1)
    return np.moveaxis(up - down, 1, -1) / (2 * step)
