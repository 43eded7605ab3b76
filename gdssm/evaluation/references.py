"""The reference learners of an evaluation, tuned on a sample of the distribution that is not measured."""

from collections.abc import Callable

import numpy as np

from gdssm.evaluation.learners import (
    ConjugateGradient,
    FixedRateDescent,
    Learner,
    LeastSquares,
    Mean,
    RidgeRegression,
    Zero,
)
from gdssm.evaluation.learning_rates import best_learning_rates
from gdssm.evaluation.metrics import half_mean_squared_error
from gdssm.evaluation.tasks.task import Batch

RIDGE_STRENGTHS = np.logspace(-4, 3, 15)


def descent(sample: Batch, steps: int) -> Learner:
    """Make gradient descent with the best rate for each step, or with rate 0 where no rate is better."""
    try:
        return FixedRateDescent(best_learning_rates(sample, steps), steps)
    except ValueError:
        return FixedRateDescent(0.0, steps)


def best_ridge(sample: Batch) -> RidgeRegression:
    """Make ridge regression of the strength that is best on the sample."""

    def loss(strength: float) -> float:
        prediction = RidgeRegression(strength).predict(sample.x, sample.y, sample.x_query)
        return half_mean_squared_error(prediction, sample.y_query)

    return RidgeRegression(float(min(RIDGE_STRENGTHS, key=loss)))


REFERENCES: dict[str, Callable[[Batch], Learner]] = {
    "zero": lambda _: Zero(),
    "mean": lambda _: Mean(),
    "descent-1": lambda sample: descent(sample, 1),
    "descent-8": lambda sample: descent(sample, 8),
    "conjugate-gradient-8": lambda _: ConjugateGradient(8),
    "ridge": best_ridge,
    "least-squares": lambda _: LeastSquares(),
}
"""How each is made from a sample."""
