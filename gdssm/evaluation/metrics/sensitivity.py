"""How a learner's answer changes with the query."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_positive

Predict: TypeAlias = Callable[[Array, Array, Array], Array]
"""x (B, N, D), y (B, N, K), x_query (B, M, D) to predictions (B, M, K): the `predict` of any learner."""


def sensitivity(predict: Predict, x: Array, y: Array, x_query: Array, step: float = 1e-4) -> Array:
    """The derivative of the prediction with respect to x_query, by central differences.

    Exact up to rounding for a prediction linear in x_query, with an error of order step² otherwise. For a model in
    single precision take a step near 1e-2. Each of the 2D calls moves one input of all queries, so `predict` sees as
    many queries as in use.

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
    columns = [
        (predict(x, y, x_query + move) - predict(x, y, x_query - move)) / (2 * step)
        for move in step * np.eye(x_query.shape[-1])
    ]
    return np.stack(columns, axis=-1)
