"""The served models, run as the service runs them but without HTTP: context and queries in one call."""

import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.predictions import Prediction
from benchmarks.accuracy.splits import Split
from service.runtime import Runtime


@cache
def file_hash(file: Path) -> str:
    """Return the SHA-256 of a model file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def predict_with(file: Path) -> Callable[[Split], Prediction]:
    """Return a function that predicts with the model in a file; the file is read at its first call."""
    return partial(_predict, file)


def _predict(file: Path, split: Split) -> Prediction:
    """Run the graph once on a batch of one context: x (1, n, D), y (1, n, K) and queries (1, m, D)."""
    outputs = _runtime(file).run({"x": split.x[None], "y": _targets(split)[None], "x_query": split.x_test[None]})
    value = outputs["prediction"][0].astype(np.float64)
    if split.classes:
        return Prediction(value)
    if "scale" not in outputs:
        return Prediction(value[:, 0])
    scale = outputs["scale"][0, :, 0].astype(np.float64)
    return Prediction(value[:, 0], scale, float(outputs["degrees_of_freedom"][0]))


def _targets(split: Split) -> NDArray[np.float64]:
    """Return y as a column (n, 1), or classes as one-hot rows (n, C)."""
    if split.classes:
        return np.eye(split.classes)[split.y]
    return split.y[:, None].astype(np.float64)


@cache
def _runtime(file: Path) -> Runtime:
    return Runtime.load(file)
