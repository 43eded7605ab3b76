"""The paper's loss.

The convention, everywhere in this project: ½ of the squared error, averaged over tasks, over queries and over outputs.
For one output it is the paper's ½ (y − ŷ)²; for K it is ½ · 1/K · ‖y − ŷ‖². Two losses in the literature may differ by
2 (no ½) or by K (a sum over outputs).
"""

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_same_shape


def half_mean_squared_error(prediction: Array, y_query: Array) -> float:
    """½ · mean squared error over tasks, queries and outputs.

    Args:
        prediction: (B, M, K).
        y_query: the right answers (B, M, K).

    Returns:
        The loss, in squared units of y.

    Raises:
        ValueError: if the shapes differ or there is nothing to compare.
    """
    return float(task_losses(prediction, y_query).mean())


def task_losses(prediction: Array, y_query: Array) -> Array:
    """½ · mean squared error of each task, over its queries and outputs.

    Args:
        prediction: (B, M, K).
        y_query: the right answers (B, M, K).

    Returns:
        One loss for each task (B,); their mean is `half_mean_squared_error`.

    Raises:
        ValueError: if the shapes differ or there is nothing to compare.
    """
    require_same_shape(prediction=prediction, y_query=y_query)
    losses: Array = 0.5 * ((prediction - y_query) ** 2).mean(axis=(1, 2))
    return losses
