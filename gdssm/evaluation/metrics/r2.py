"""The explained share of the variance."""

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_same_shape


def r2(prediction: Array, y_query: Array) -> float:
    """1 − Σ‖y − ŷ‖² / Σ‖y − ȳ‖², pooled over the whole batch; ȳ is each output's mean over tasks and queries.

    Pooled, not averaged over tasks: a task with few queries has no variance of its own worth dividing by.

    Args:
        prediction: (B, M, K).
        y_query: the right answers (B, M, K).

    Returns:
        1 if right everywhere, 0 if no better than the mean answer, negative if worse.

    Raises:
        ValueError: if the shapes differ, there is nothing to compare, or y_query does not vary.
    """
    require_same_shape(prediction=prediction, y_query=y_query)
    total = ((y_query - y_query.mean(axis=(0, 1))) ** 2).sum()
    if total == 0:
        raise ValueError("y_query does not vary, so no share of its variance is defined.")
    return float(1 - ((y_query - prediction) ** 2).sum() / total)
