"""The contestants: models of scikit-learn with their usual settings, and the served models."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sklearn

from benchmarks.accuracy import peers
from benchmarks.accuracy.predictions import Prediction
from benchmarks.accuracy.served import file_hash, predict_with
from benchmarks.accuracy.splits import Split
from benchmarks.accuracy.tables import Task

ZOO = Path(__file__).parents[2] / "service" / "zoo"
SERVED: Mapping[str, Task] = {"linear": "regression", "nonlinear": "regression", "classifier": "classification"}
"""The served models that may take part, by file name."""


@dataclass(frozen=True)
class Contestant:
    """One way to predict y from a context.

    Attributes:
        task: The tables that it can read.
        predict: Fit to the context of a split and predict its test rows.
        version: The SHA-256 of the model file, or the version of scikit-learn.
        max_n: Rows of the largest context for which it runs; a fit to more takes minutes.
    """

    name: str
    task: Task
    predict: Callable[[Split], Prediction]
    version: str
    max_n: int = 10**9


def contestants(names: Sequence[str] | None = None) -> dict[str, Contestant]:
    """Return the contestants of these names, or all; served models without a file are left out."""
    found = {contestant.name: contestant for contestant in (*_served(), *_peers())}
    if unknown := set(names or ()) - found.keys():
        raise ValueError(f"Unknown contestants: {sorted(unknown)}. Choose from {sorted(found)}.")
    return {name: contestant for name, contestant in found.items() if names is None or name in names}


def _served() -> list[Contestant]:
    files = {name: ZOO / f"{name}.onnx" for name in SERVED}
    return [
        Contestant(name, SERVED[name], predict_with(file), file_hash(file))
        for name, file in files.items()
        if file.exists()
    ]


def _peers() -> list[Contestant]:
    version = f"scikit-learn {sklearn.__version__}"
    return [
        Contestant("mean", "regression", peers.mean, version),
        Contestant("RidgeCV", "regression", peers.ridge, version),
        Contestant("nearest neighbours", "regression", peers.nearest_neighbours, version),
        Contestant("random forest", "regression", peers.forest, version),
        Contestant("gradient boosting", "regression", peers.boosting, version),
        Contestant("Gaussian process", "regression", peers.gaussian_process, version, 500),
        Contestant("class frequencies", "classification", peers.class_frequencies, version),
        Contestant("logistic regression", "classification", peers.logistic_regression, version),
        Contestant("random forest classifier", "classification", peers.forest_classifier, version),
        Contestant("gradient boosting classifier", "classification", peers.boosting_classifier, version),
    ]
