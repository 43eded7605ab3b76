"""What y is to a classification model: one row for each observation, the shares of the classes."""

from dataclasses import replace

import numpy as np

from service.errors import Problem
from service.inference.artifact import Manifest
from service.inference.sizes import Array
from service.real_numbers import MAX_REPORTED_NUMBERS

TOLERANCE = 1e-6
"""Of the sum of a row, and of the bounds of an entry."""
SEND = "Send 1 for the class of the observation and 0 for the others."


def share_problems(manifest: Manifest, field: str, y: Array) -> list[Problem]:
    """Name the rows of y that are not shares of classes, where the model is a classification.

    Args:
        manifest: Of the model.
        field: What y is called, to begin every position with.
        y: (N,) or (N, K).
    """
    if manifest.task != "classification":
        return []
    if y.ndim == 1:
        return [Problem(field, f"has numbers; model {manifest.name} takes rows with one column for each class. {SEND}")]
    with np.errstate(over="ignore"):
        wrong = (np.abs(y.sum(1) - 1.0) > TOLERANCE) | (y.min(1) < -TOLERANCE)
    return [Problem(f"{field}[{i}]", _reason(y[i])) for i in np.flatnonzero(wrong)[:MAX_REPORTED_NUMBERS].tolist()]


def share_problems_of_one(manifest: Manifest, field: str, y: Array) -> list[Problem]:
    """Do the same for one observation, y (1,) or (1, K), which is called `field` itself."""
    return [replace(problem, field=field) for problem in share_problems(manifest, field, y)]


def _reason(row: Array) -> str:
    least = row.argmin()
    if row[least] < -TOLERANCE:
        return f"has {row[least]:g} in column {least}; shares of classes are between 0 and 1. {SEND}"
    with np.errstate(over="ignore"):
        return f"sums to {row.sum():g}; shares of classes must sum to 1. {SEND}"
