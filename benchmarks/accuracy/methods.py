"""The methods: models of scikit-learn with their usual settings and fixed seeds, and the served models.

The served models run in the service's runtime without HTTP: context and queries in one call.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.accuracy.scoring import Prediction, Split
from benchmarks.accuracy.tables import Task
from benchmarks.zoo import model_file
from service.inference.runtime import Runtime

SERVED: Mapping[str, Task] = {"linear": "regression", "nonlinear": "regression", "classifier": "classification"}
"""The served models, by file name."""
FOREST_SEED = 0
BOOSTING_SEED = 0
PROCESS_SEED = 0
NEIGHBOURS = 5
STRENGTHS = np.logspace(-3, 3, 13)
"""Of RidgeCV, on standardised columns."""


@dataclass(frozen=True)
class Method:
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


def methods(names: Sequence[str] | None = None) -> dict[str, Method]:
    """Return the methods of these names, or all; served models without a file are left out."""
    found = {method.name: method for method in (*_served(), *_peers())}
    if unknown := set(names or ()) - found.keys():
        raise ValueError(f"Unknown methods: {sorted(unknown)}. Choose from {sorted(found)}.")
    return {name: method for name, method in found.items() if names is None or name in names}


def _served() -> list[Method]:
    files = {name: model_file(name) for name in SERVED}
    return [
        Method(name, SERVED[name], predict_with(file), file_hash(file)) for name, file in files.items() if file.exists()
    ]


def _peers() -> list[Method]:
    version = f"scikit-learn {sklearn.__version__}"
    return [
        Method("mean", "regression", mean, version),
        Method("RidgeCV", "regression", ridge, version),
        Method("nearest neighbours", "regression", nearest_neighbours, version),
        Method("random forest", "regression", forest, version),
        Method("gradient boosting", "regression", boosting, version),
        Method("Gaussian process", "regression", gaussian_process, version, 500),
        Method("class frequencies", "classification", class_frequencies, version),
        Method("logistic regression", "classification", logistic_regression, version),
        Method("random forest classifier", "classification", forest_classifier, version),
        Method("gradient boosting classifier", "classification", boosting_classifier, version),
    ]


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


def mean(split: Split) -> Prediction:
    """Predict the mean of the context."""
    return Prediction(np.full(len(split.x_test), split.y.mean()))


def ridge(split: Split) -> Prediction:
    """Ridge regression; its strength is chosen by leave-one-out cross-validation."""
    return _fitted(make_pipeline(StandardScaler(), RidgeCV(alphas=STRENGTHS)), split)


def nearest_neighbours(split: Split) -> Prediction:
    """Predict the mean of the five nearest rows, or of all if there are fewer."""
    neighbours = KNeighborsRegressor(min(NEIGHBOURS, len(split.x)))
    return _fitted(make_pipeline(StandardScaler(), neighbours), split)


def forest(split: Split) -> Prediction:
    """100 trees."""
    return _fitted(RandomForestRegressor(random_state=FOREST_SEED, n_jobs=1), split)


def boosting(split: Split) -> Prediction:
    """100 iterations on histograms."""
    return _fitted(HistGradientBoostingRegressor(random_state=BOOSTING_SEED), split)


def gaussian_process(split: Split) -> Prediction:
    """One length scale for all columns, with a variance of the noise; all three maximise the evidence."""
    kernel = ConstantKernel() * RBF() + WhiteKernel()
    process = GaussianProcessRegressor(kernel, normalize_y=True, random_state=PROCESS_SEED)
    scaler = StandardScaler()
    process.fit(scaler.fit_transform(split.x), split.y)
    return Prediction(*process.predict(scaler.transform(split.x_test), return_std=True))


def class_frequencies(split: Split) -> Prediction:
    """Predict how frequent the classes are in the context."""
    counts = np.bincount(split.y, minlength=split.classes)
    return Prediction(np.tile(counts / counts.sum(), (len(split.x_test), 1)))


def logistic_regression(split: Split) -> Prediction:
    """Logistic regression of strength 1."""
    return _probabilities(make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)), split)


def forest_classifier(split: Split) -> Prediction:
    """100 trees."""
    return _probabilities(RandomForestClassifier(random_state=FOREST_SEED, n_jobs=1), split)


def boosting_classifier(split: Split) -> Prediction:
    """100 iterations on histograms."""
    return _probabilities(HistGradientBoostingClassifier(random_state=BOOSTING_SEED), split)


def _fitted(model: Any, split: Split) -> Prediction:  # noqa: ANN401 - scikit-learn has no types
    return Prediction(model.fit(split.x, split.y).predict(split.x_test))


def _probabilities(model: Any, split: Split) -> Prediction:  # noqa: ANN401 - scikit-learn has no types
    """Fit and predict; a class that the context lacks has probability 0, and a single class probability 1."""
    present: NDArray[np.intp] = np.unique(split.y).astype(np.intp)
    probabilities = np.zeros((len(split.x_test), split.classes))
    probabilities[:, present] = 1.0 if len(present) == 1 else model.fit(split.x, split.y).predict_proba(split.x_test)
    return Prediction(probabilities)
