"""Models of scikit-learn with their usual settings, each fitted to the context of a split; seeds are fixed."""

from typing import Any

import numpy as np
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

from benchmarks.accuracy.predictions import Prediction
from benchmarks.accuracy.splits import Split

FOREST_SEED = 0
BOOSTING_SEED = 0
PROCESS_SEED = 0
NEIGHBOURS = 5
STRENGTHS = np.logspace(-3, 3, 13)
"""Of RidgeCV, on standardised columns."""


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
