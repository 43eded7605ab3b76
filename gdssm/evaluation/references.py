"""The learners that a model is measured beside, tuned on a sample of the distribution that is not the measured one."""

from collections.abc import Callable

import numpy as np

from gdssm.evaluation.learners.best_rates import best_learning_rates
from gdssm.evaluation.learners.conjugate_gradient import ConjugateGradient
from gdssm.evaluation.learners.gradient_descent import GradientDescent
from gdssm.evaluation.learners.learner import Learner
from gdssm.evaluation.learners.least_squares import LeastSquares
from gdssm.evaluation.learners.mean import Mean
from gdssm.evaluation.learners.ridge import Ridge
from gdssm.evaluation.learners.zero import Zero
from gdssm.evaluation.metrics.loss import half_mean_squared_error
from gdssm.evaluation.tasks.batch import Batch

STRENGTHS = np.logspace(-4, 3, 15)
"""Of ridge regression, to choose from."""


def descent(sample: Batch, steps: int) -> Learner:
    """Make gradient descent with the best rate for each step.

    Where no rate is better than none, it is one that stands still: the mean squared gradient says nothing there.

    Args:
        sample: tasks to tune on.
        steps: the number of steps.
    """
    try:
        return GradientDescent(best_learning_rates(sample, steps), steps)
    except ValueError:
        return GradientDescent(0.0, steps)


def best_ridge(sample: Batch) -> Ridge:
    """Make ridge regression of the strength that is best on the sample."""

    def loss(strength: float) -> float:
        prediction = Ridge(strength).predict(sample.x, sample.y, sample.x_query)
        return half_mean_squared_error(prediction, sample.y_query)

    return Ridge(float(min(STRENGTHS, key=loss)))


REFERENCES: dict[str, Callable[[Batch], Learner]] = {
    "zero": lambda _: Zero(),
    "mean": lambda _: Mean(),
    "descent-1": lambda sample: descent(sample, 1),
    "descent-8": lambda sample: descent(sample, 8),
    "conjugate-gradient-8": lambda _: ConjugateGradient(8),
    "ridge": best_ridge,
    "least-squares": lambda _: LeastSquares(),
}
"""How each is made from the sample that tunes it."""
