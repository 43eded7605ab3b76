"""Splits of a table into a context and test rows, predictions for the test rows, and their measures."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t  # type: ignore[import-untyped]

from benchmarks.accuracy.tables import Table, Target

SIZES = (5, 10, 20, 50, 100, 500, 2_000)
"""Rows of context."""
SPLITS = 15
MIN_TEST, MAX_TEST = 50, 400
"""Rows to test on."""
MIN_PROBABILITY = 1e-3
"""Log loss replaces smaller probabilities by this, for every method: a class may be missing from a context."""
BINS = 10
"""Of equal width, for the calibration error."""
COVERAGES = (0.8, 0.9)
"""Nominal coverages of the central predictive intervals."""


@dataclass(frozen=True, eq=False)
class Split:
    """Context and test rows of one table.

    Attributes:
        x, y: (n, D) and (n,), the context.
        x_test, y_test: (m, D) and (m,), with 50 ≤ m ≤ 400.
        classes: C, or 0 for regression.
    """

    x: NDArray[np.float64]
    y: Target
    x_test: NDArray[np.float64]
    y_test: Target
    classes: int


def fits(table: Table, n: int) -> bool:
    """Whether a context of n rows leaves enough rows to test on."""
    return len(table.x) >= n + MIN_TEST


def split(table: Table, n: int, index: int) -> Split:
    """Draw split number `index`: of a permutation, the first n rows are the context, the next 400 the test."""
    order = np.random.default_rng(1_000 * index + n).permutation(len(table.x))
    context, test = order[:n], order[n : n + MAX_TEST]
    return Split(table.x[context], table.y[context], table.x[test], table.y[test], table.classes)


@dataclass(frozen=True, eq=False)
class Prediction:
    """A prediction for m rows.

    Attributes:
        value: (m,) means for regression; (m, C) probabilities for classification.
        scale: (m,) scales of a predictive t distribution around the mean, in the units of y, if there is one.
        degrees_of_freedom: Of that distribution; infinity is the normal distribution.
    """

    value: NDArray[np.float64]
    scale: NDArray[np.float64] | None = None
    degrees_of_freedom: float = np.inf


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
