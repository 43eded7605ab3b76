"""A scikit-learn classifier on a state of constant size."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from gdssm_client import frames
from gdssm_client.secret import SupportsSecret
from gdssm_client.sklearn.encoded_frames import Kinds, with_classes
from gdssm_client.sklearn.estimator import Array, StateEstimator


class GDSSMClassifier(ClassifierMixin, StateEstimator):  # type: ignore[misc]
    """In-context classification as an estimator.

    The first call with more than 32 observations fixes the scale of the features of `classifier`. As in
    `GDSSMRegressor`, `sample_weight` −1 removes observations again.

    Args:
        model: A classification model that streams.
        learning_rate: For models with this parameter.
        url: Of a service; the model runs in this process if left out, with the distribution of the service. A user and
            a password in it are not printed.
        api_key: For the service; GDSSM_API_KEY at each call if left out. Stored as a `Secret`.
        allow_precision_loss: Whether `partial_fit` learns observations by which earlier ones lose their significant
            digits, so that they cannot be removed again; ValueError otherwise.
        kinds: What columns of a frame hold, as for `GDSSMRegressor`.
        verbose: Whether to show the progress on the standard error, if that is a terminal.

    Attributes:
        classes_: The labels, sorted.
        state_: The state, by tensor name.
        model_version_: Of the model.
        n_observations_: Rows seen.
        schema_, x_columns_, findings_: As for `GDSSMRegressor`.
    """

    def __init__(
        self,
        model: str = "classifier",
        *,
        learning_rate: float | None = None,
        url: str | None = None,
        api_key: str | SupportsSecret | None = None,
        allow_precision_loss: bool = False,
        kinds: Kinds = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(model, learning_rate, url, api_key, allow_precision_loss, verbose=verbose)
        self.kinds = kinds

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn observations, and forget earlier ones."""
        self._forget()
        return self._learn(X, y, None, sample_weight, more_to_come=False)

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn further observations; the first call needs all classes."""
        return self._learn(X, y, classes, sample_weight, more_to_come=True)

    def predict_proba(self, X: ArrayLike) -> Array:
        """Predict the probability of each class (M, K)."""
        return self._answer(X)

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:
        """Predict the most probable class (M,)."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    def _learn(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None,
        sample_weight: ArrayLike | None,
        *,
        more_to_come: bool,
    ) -> Self:
        first = not hasattr(self, "state_")
        rows, y = self._checked(X, y, lambda y: frames.labels(y, "y"), more_to_come=more_to_come)
        check_classification_targets(y)
        if first:
            self.classes_ = np.unique(y if classes is None else np.asarray(classes))
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y has the classes {unknown.tolist()}, which are not among {self.classes_.tolist()}.")
        if first and rows.schema is not None:
            rows = rows._replace(schema=with_classes(rows.schema, self.classes_))
        one_hot = (np.asarray(y)[:, None] == self.classes_).astype(np.float64)
        return self._observe(rows, one_hot, sample_weight)
