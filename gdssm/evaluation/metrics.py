"""Losses, differences of predictions and sensitivities, and scores of predictive intervals.

Shapes: predictions, y_query, bounds and observations (B, M, K), sensitivities (B, M, K, D), one number for each task
(B,). All functions raise ValueError if shapes differ or there is nothing to compare.

The loss is ½ of the squared error, averaged over tasks, queries and outputs: for one output the paper's ½ (y − ŷ)², for
K it is ½ · 1/K · ‖y − ŷ‖². Losses in the literature may differ by 2 (no ½) or by K (a sum over outputs).
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from gdssm.arrays import Array
from gdssm.evaluation.checks import require_positive, require_same_shape

Predict: TypeAlias = Callable[[Array, Array, Array], Array]
"""x (B, N, D), y (B, N, K), x_query (B, M, D) to predictions (B, M, K): the `predict` of any learner."""

INPUTS_PER_CALL = 10_000
"""Numbers in the queries of one task, in one call of `predict`."""


def half_mean_squared_error(prediction: Array, y_query: Array) -> float:
    """½ · mean squared error over tasks, queries and outputs, in squared units of y."""
    return float(task_losses(prediction, y_query).mean())


def task_losses(prediction: Array, y_query: Array) -> Array:
    """½ · mean squared error of each task, over its queries and outputs."""
    require_same_shape(prediction=prediction, y_query=y_query)
    losses: Array = 0.5 * ((prediction - y_query) ** 2).mean(axis=(1, 2))
    return losses


def relative_prediction_difference(prediction: Array, reference: Array) -> float:
    """‖a − b‖ / ‖b‖ over the whole batch; ValueError if the reference is zero everywhere."""
    require_same_shape(prediction=prediction, reference=reference)
    scale = np.linalg.norm(reference)
    if scale == 0:
        raise ValueError("reference is zero everywhere, so nothing can be relative to it.")
    return float(np.linalg.norm(prediction - reference) / scale)


def mean_prediction_difference(prediction: Array, reference: Array) -> float:
    """The mean over tasks and queries of ‖a − b‖₂, in units of y (the paper's measure)."""
    require_same_shape(prediction=prediction, reference=reference)
    return float(np.linalg.norm(prediction - reference, axis=-1).mean())


def sensitivity(predict: Predict, x: Array, y: Array, x_query: Array, step: float = 1e-4) -> Array:
    """The derivative of the prediction with respect to x_query, by central differences.

    Exact up to rounding for a prediction linear in x_query, with an error of order step² otherwise. Many moved queries
    go into one call of `predict`, because a model may have to read its context in each call.

    Args:
        predict: The function to differentiate.
        x: Observed inputs (B, N, D).
        y: Observed outputs (B, N, K).
        x_query: Points of the derivative (B, M, D).
        step: Distance by which an input is moved, in units of x; near 1e-2 for a model in single precision.

    Returns:
        ∂ŷ_k/∂x_d (B, M, K, D).
    """
    require_positive(step=step)
    batch, queries, inputs = x_query.shape
    moves = step * np.concatenate([np.eye(inputs), -np.eye(inputs)])
    together = max(1, INPUTS_PER_CALL // (queries * inputs))
    found = []
    for start in range(0, len(moves), together):
        moved = x_query[:, None] + moves[start : start + together, None]
        answers = predict(x, y, moved.reshape(batch, -1, inputs))
        found.append(answers.reshape(batch, -1, queries, answers.shape[-1]))
    up, down = np.split(np.concatenate(found, axis=1), 2, axis=1)
    return np.moveaxis(up - down, 1, -1) / (2 * step)


def sensitivity_difference(sensitivity: Array, reference: Array) -> float:
    """The mean over tasks and queries of ‖A − B‖_F of two Jacobians, in units of y per unit of x."""
    require_same_shape(sensitivity=sensitivity, reference=reference)
    return float(np.linalg.norm(sensitivity - reference, axis=(-2, -1)).mean())


def sensitivity_cosine(sensitivity: Array, reference: Array) -> float:
    """The mean over tasks and queries of the cosine between two Jacobians, taken as vectors; 0 for a zero Jacobian.

    Independent of scale: a learning rate a hundred times too large has a cosine of 1. Never report it alone.
    """
    return float(task_cosines(sensitivity, reference).mean())


def task_cosines(sensitivity: Array, reference: Array) -> Array:
    """The mean cosine of each task; see `sensitivity_cosine`."""
    require_same_shape(sensitivity=sensitivity, reference=reference)
    inner = np.sum(sensitivity * reference, axis=(-2, -1))
    lengths = np.linalg.norm(sensitivity, axis=(-2, -1)) * np.linalg.norm(reference, axis=(-2, -1))
    cosines: Array = np.divide(inner, lengths, out=np.zeros_like(inner), where=lengths > 0).mean(axis=1)
    return cosines


def task_coverages(lower: Array, upper: Array, observed: Array) -> Array:
    """The share of each task's observations within their intervals, bounds included; NaN where a bound is NaN."""
    require_same_shape(lower=lower, upper=upper, observed=observed)
    held = np.where(np.isnan(lower) | np.isnan(upper), np.nan, (lower <= observed) & (observed <= upper))
    shares: Array = held.mean(axis=(1, 2))
    return shares


def task_interval_scores(lower: Array, upper: Array, observed: Array, level: float) -> Array:
    """The interval score of each task, over its queries and outputs, in units of y; NaN where a bound is NaN.

    u − l + (2/α)(l − y)₊ + (2/α)(y − u)₊ with α = 1 − level, in expectation lowest where both tails have probability
    α/2 (Winkler 1972; Gneiting and Raftery 2007, equation 43). Raises ValueError if the level is not between 0 and 1.
    """
    require_same_shape(lower=lower, upper=upper, observed=observed)
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must be between 0 and 1.")
    outside = np.maximum(lower - observed, 0) + np.maximum(observed - upper, 0)
    scores: Array = (upper - lower + 2 / (1 - level) * outside).mean(axis=(1, 2))
    return scores
