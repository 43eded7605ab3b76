"""The best learning rates for a distribution of tasks, found on a sample of it.

A long descent diverges on the rare context of large curvature, so the loss near the best shared rate has a heavy tail:
ten steps on 20,000 tasks of ten inputs are known to about 1 %, one step to 0.1 %. Sample accordingly.
"""

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.learners.rate_loss import RateLoss
from gdssm.evaluation.tasks.batch import Batch


def best_learning_rate(batch: Batch, steps: int = 1) -> float:
    """Find the learning rate that is best for every one of the steps at once.

    For one step it is the closed form of a least-squares problem; for more a search on a grid that closes in.

    Args:
        batch: sampled tasks.
        steps: the number of steps.

    Returns:
        The rate of lowest ½ · mean squared error on these tasks.

    Raises:
        ValueError: if no rate above zero is better than zero: the context says nothing about the answers.
    """
    one_step = _best_single_rate(batch)
    if steps == 1:
        return one_step
    loss = RateLoss.of(batch, steps)
    low, high = 0.01 * one_step / steps, 10 * one_step
    for _ in range(6):
        grid = np.geomspace(low, high, 201)
        best = int(np.argmin([loss(np.full(steps, rate)) for rate in grid]))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 200)]
    return float(np.sqrt(low * high))


def best_learning_rates(batch: Batch, steps: int) -> tuple[float, ...]:
    """Find the best rate for each step.

    The order of full-batch steps on one context does not matter, so the rates are returned in rising order. Where noise
    makes two rates want to become a complex pair, they are returned as equal.

    Args:
        batch: sampled tasks.
        steps: the number of steps.

    Returns:
        As many positive rates as steps.

    Raises:
        ValueError: if no rate above zero is better than zero.
    """
    if steps == 1:
        return (_best_single_rate(batch),)
    start = best_learning_rate(batch, steps) * np.geomspace(0.5, 2.0, steps)
    return tuple(np.sort(_descend(RateLoss.of(batch, steps), start)).tolist())


def _best_single_rate(batch: Batch) -> float:
    """One step predicts η times something: project the answers on it."""
    loss = RateLoss.of(batch, 1)
    if not loss.projection[0] > 0:
        raise ValueError("batch.y_query does not follow from its context: no learning rate is better than zero.")
    return float(loss.projection[0] / loss.gram[0, 0])


def _descend(loss: RateLoss, rates: Array) -> Array:
    """Levenberg–Marquardt on the logarithms of the rates, which keeps them positive.

    The loss is quadratic in the values of p, and rates that differ move these values freely, so any stationary point
    with different rates is the global minimum.
    """
    damping, lowest = 1e-2, loss(rates)
    while damping < 1e12:
        slope = loss.slope(rates) * rates
        curvature = slope.T @ loss.gram @ slope
        gradient = slope.T @ (loss.gram @ loss.values(rates) - loss.projection)
        step = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), -gradient)
        trial = rates * np.exp(np.clip(step, -1.0, 1.0))
        reached = loss(trial)
        if not reached < lowest:
            damping *= 4
            continue
        gain, rates, lowest, damping = lowest - reached, trial, reached, damping / 4
        if gain < 1e-12 * loss.energy:
            break
    return rates
