"""Whether two sensitivities point the same way."""

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_same_shape


def sensitivity_cosine(sensitivity: Array, reference: Array) -> float:
    """The mean over tasks and queries of the cosine between two Jacobians, taken as vectors.

    Blind to scale: a model with a learning rate a hundred times too large has a cosine of 1. Never report it alone.

    Args:
        sensitivity: (B, M, K, D).
        reference: (B, M, K, D).

    Returns:
        1 if all are parallel, −1 if all are opposite; a Jacobian of zero points nowhere and counts as 0.

    Raises:
        ValueError: if the shapes differ or there is nothing to compare.
    """
    return float(task_cosines(sensitivity, reference).mean())


def task_cosines(sensitivity: Array, reference: Array) -> Array:
    """The same for each task: the mean over its queries.

    Args:
        sensitivity: (B, M, K, D).
        reference: (B, M, K, D).

    Returns:
        One cosine for each task (B,); their mean is `sensitivity_cosine`.

    Raises:
        ValueError: if the shapes differ or there is nothing to compare.
    """
    require_same_shape(sensitivity=sensitivity, reference=reference)
    inner = np.sum(sensitivity * reference, axis=(-2, -1))
    lengths = np.linalg.norm(sensitivity, axis=(-2, -1)) * np.linalg.norm(reference, axis=(-2, -1))
    cosines: Array = np.divide(inner, lengths, out=np.zeros_like(inner), where=lengths > 0).mean(axis=1)
    return cosines
