"""How far two sensitivities are apart."""

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_same_shape


def sensitivity_difference(sensitivity: Array, reference: Array) -> float:
    """The mean over tasks and queries of the distance ‖A − B‖_F between two Jacobians.

    Args:
        sensitivity: A (B, M, K, D).
        reference: B (B, M, K, D).

    Returns:
        The mean distance, in units of y per unit of x.

    Raises:
        ValueError: if the shapes differ or there is nothing to compare.
    """
    require_same_shape(sensitivity=sensitivity, reference=reference)
    return float(np.linalg.norm(sensitivity - reference, axis=(-2, -1)).mean())
