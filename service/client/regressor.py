"""A scikit-learn regressor whose fit is one pass and whose memory is a state of constant size."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import validate_data

from service.client.estimator import Array, StateEstimator


class GDSSMRegressor(MultiOutputMixin, RegressorMixin, StateEstimator):  # type: ignore[misc]
    """In-context regression as an estimator.

    `partial_fit` learns further observations at a cost that does not depend on how many there were; a negative
    `sample_weight` takes observations out again.

    Args:
        model: A regression model that streams.
        learning_rate: For the models that take one (gd-1, gd-8); left out, each step takes its own.
        url: Of a service; without it the model runs in this process.
        api_key: For the service.

    Attributes:
        coef_: The linear model that the context amounts to, (D,) or (K, D), in the caller's units.
        intercept_: Its intercept, a number or (K,).
        state_: What is remembered of the data, by tensor name.
        n_observations_: Rows seen.
    """

    def __init__(
        self,
        model: str = "linear",
        *,
        learning_rate: float | None = None,
        url: str | None = None,
        api_key: str | None = None,
    ) -> None:
        super().__init__(model, learning_rate=learning_rate, url=url, api_key=api_key)

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from these observations alone."""
        self._forget()
        return self.partial_fit(X, y, sample_weight)

    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn further observations."""
        first = not hasattr(self, "state_")
        rows, targets = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64, reset=first)
        if first:
            self._flat = targets.ndim == 1
        return self._observe(rows, np.asarray(targets, np.float64).reshape(len(targets), -1), sample_weight)

    def predict(self, X: ArrayLike) -> Array:
        """Predict (M,) or (M, K), as y came in."""
        prediction = self._answer(X)
        return prediction[:, 0] if self._flat else prediction
