"""Measures of a prediction against the test rows of a split."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t  # type: ignore[import-untyped]

from benchmarks.accuracy.predictions import Prediction
from benchmarks.accuracy.splits import Split

MIN_PROBABILITY = 1e-3
"""Log loss replaces smaller probabilities by this, for every contestant: a class may be missing from a context."""
BINS = 10
"""Of equal width, for the calibration error."""
COVERAGES = (0.8, 0.9)
"""Nominal coverages of the central predictive intervals."""


def measure(prediction: Prediction, split: Split) -> Mapping[str, float]:
    """Return every measure that applies.

    Raises:
        ValueError: A prediction is not finite.
    """
    if not np.isfinite(prediction.value).all():
        raise ValueError("The prediction is not finite.")
    if split.classes:
        return classification(prediction.value, split.y_test)
    return {"r2": r2(prediction.value, split.y_test), **intervals(prediction, split.y_test)}


def r2(value: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return 1 − squared error / squared deviation from the mean of the test rows; value and y are (m,)."""
    return float(1 - np.square(y - value).sum() / np.square(y - y.mean()).sum())


def intervals(prediction: Prediction, y: NDArray[np.float64]) -> dict[str, float]:
    """Return the coverage of the predictive intervals, and the mean width of the widest in standard deviations of y."""
    if prediction.scale is None:
        return {}
    error = np.abs(y - prediction.value)
    half = {p: t.ppf((1 + p) / 2, prediction.degrees_of_freedom) * prediction.scale for p in COVERAGES}
    covered = {f"coverage_{p * 100:.0f}": float((error <= half[p]).mean()) for p in COVERAGES}
    return {**covered, f"width_{COVERAGES[-1] * 100:.0f}": float(2 * half[COVERAGES[-1]].mean() / y.std())}


def classification(probabilities: NDArray[np.float64], y: NDArray[np.intp]) -> dict[str, float]:
    """Return log loss (nats), accuracy and calibration error; probabilities (m, C), y (m,)."""
    return {
        "log_loss": log_loss(probabilities, y),
        "accuracy": float((probabilities.argmax(axis=1) == y).mean()),
        "calibration_error": calibration_error(probabilities, y),
    }


def log_loss(probabilities: NDArray[np.float64], y: NDArray[np.intp]) -> float:
    """Return the mean negative log probability of the right class, in nats."""
    raised = np.maximum(probabilities, MIN_PROBABILITY)
    raised /= raised.sum(axis=1, keepdims=True)
    return float(-np.log(raised[np.arange(len(y)), y]).mean())


def calibration_error(probabilities: NDArray[np.float64], y: NDArray[np.intp]) -> float:
    """Return the expected calibration error of the most probable class.

    In each bin of its probability, the difference between that probability and the accuracy; the mean over all rows.
    """
    confidence = probabilities.max(axis=1)
    excess = confidence - (probabilities.argmax(axis=1) == y)
    bins = np.clip((confidence * BINS).astype(np.intp), 0, BINS - 1)
    return float(np.abs(np.bincount(bins, weights=excess, minlength=BINS)).sum() / len(y))
