"""Splits of a table into a context and test rows, and methods: models of scikit-learn with fixed seeds, and ours.

Models of scikit-learn have their usual settings. The served models run in the service's runtime without HTTP: context
and queries in one call.
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
from scipy.stats import t  # type: ignore[import-untyped]
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

from benchmarks.accuracy.tables import Table, Target, Task
from benchmarks.models import model_file
from service.inference.runtime import Runtime

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


SERVED: Mapping[str, Task] = {"linear": "regression", "nonlinear": "regression", "classifier": "classification"}
"""The served models, by file name."""
SEED = 0
NEIGHBOURS = 5
STRENGTHS = np.logspace(-3, 3, 13)
"""Of RidgeCV, which chooses one by leave-one-out cross-validation."""
REGRESSORS: dict[str, Callable[[int], Any]] = {
    "RidgeCV": lambda _: make_pipeline(StandardScaler(), RidgeCV(alphas=STRENGTHS)),
    "nearest neighbours": lambda rows: make_pipeline(StandardScaler(), KNeighborsRegressor(min(NEIGHBOURS, rows))),
    "random forest": lambda _: RandomForestRegressor(random_state=SEED, n_jobs=1),
    "gradient boosting": lambda _: HistGradientBoostingRegressor(random_state=SEED),
    "Gaussian process": lambda _: make_pipeline(
        StandardScaler(),
        GaussianProcessRegressor(ConstantKernel() * RBF() + WhiteKernel(), normalize_y=True, random_state=SEED),
    ),
}
"""Makers of models of scikit-learn, which take the rows of context.

The Gaussian process has one length scale for all columns and a variance of the noise; all maximise the evidence.
"""
MAX_ROWS = {"Gaussian process": 500}
"""Of the largest context for which a method runs; a fit to more takes minutes."""
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "logistic regression": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)),
    "random forest classifier": lambda: RandomForestClassifier(random_state=SEED, n_jobs=1),
    "gradient boosting classifier": lambda: HistGradientBoostingClassifier(random_state=SEED),
}


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
        *(
            Method(name, "regression", partial(_regress, name), version, MAX_ROWS.get(name, 10**9))
            for name in REGRESSORS
        ),
        Method("class frequencies", "classification", class_frequencies, version),
        *(Method(name, "classification", partial(_classify, name), version) for name in CLASSIFIERS),
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


def class_frequencies(split: Split) -> Prediction:
    """Predict how frequent the classes are in the context."""
    counts = np.bincount(split.y, minlength=split.classes)
    return Prediction(np.tile(counts / counts.sum(), (len(split.x_test), 1)))


def _regress(name: str, split: Split) -> Prediction:
    model = REGRESSORS[name](len(split.x)).fit(split.x, split.y)
    if name == "Gaussian process":
        return Prediction(*model.predict(split.x_test, return_std=True))
    return Prediction(model.predict(split.x_test))


def _classify(name: str, split: Split) -> Prediction:
    """Fit and predict; a class that the context lacks has probability 0, and a single class probability 1."""
    present: NDArray[np.intp] = np.unique(split.y).astype(np.intp)
    probabilities = np.zeros((len(split.x_test), split.classes))
    if len(present) == 1:
        probabilities[:, present] = 1.0
    else:
        probabilities[:, present] = CLASSIFIERS[name]().fit(split.x, split.y).predict_proba(split.x_test)
    return Prediction(probabilities)
