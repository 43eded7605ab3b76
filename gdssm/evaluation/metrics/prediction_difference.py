"""How far two learners' answers are apart."""

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_same_shape


def relative_prediction_difference(prediction: Array, reference: Array) -> float:
    """‖a − b‖ / ‖b‖ over the whole batch.

    Args:
        prediction: a (B, M, K).
        reference: b (B, M, K), which gives the scale.

    Returns:
        0 if equal; 0.02 is a difference of 2 %.

    Raises:
        ValueError: if the shapes differ, there is nothing to compare, or the reference is zero everywhere.
    """
    require_same_shape(prediction=prediction, reference=reference)
    scale = np.linalg.norm(reference)
    if scale == 0:
        raise ValueError("reference is zero everywhere, so nothing can be relative to it.")
    return float(np.linalg.norm(prediction - reference) / scale)


def mean_prediction_difference(prediction: Array, reference: Array) -> float:
    """The mean over tasks and queries of the distance ‖a − b‖₂ between two answers (the paper's measure).

    Args:
        prediction: a (B, M, K).
        reference: b (B, M, K).

    Returns:
        The mean distance, in units of y.

    Raises:
        ValueError: if the shapes differ or there is nothing to compare.
    """
    require_same_shape(prediction=prediction, reference=reference)
    return float(np.linalg.norm(prediction - reference, axis=-1).mean())
