"""What the regressor and the classifier share: a context kept as a state, fed by fit and partial_fit.

The state is all that is remembered of the data, locally as remotely: a remote estimator sends it along with every call,
so that nothing stays on the server, and clone, pickle and joblib work as for any estimator.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from service.client.engine import Engine, engine

Array = NDArray[np.float64]


class StateEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A context as an estimator.

    Args:
        model: Name of the model, one that streams; see `GET /v1/models`.
        learning_rate: For the models that take one (gd-1, gd-8); left out, each step takes its own.
        url: Of a service; without it the model runs in this process.
        api_key: For the service.
    """

    def __init__(
        self, model: str, *, learning_rate: float | None = None, url: str | None = None, api_key: str | None = None
    ) -> None:
        self.model = model
        self.learning_rate = learning_rate
        self.url = url
        self.api_key = api_key

    def _observe(self, X: ArrayLike, columns: Array, sample_weight: ArrayLike | None) -> Self:
        """Add observations to the state."""
        x = np.asarray(X, dtype=np.float64)
        tensors = {**self._state(), "x": x[None], "y": columns[None]}
        if sample_weight is not None:
            tensors["weight"] = _check_sample_weight(sample_weight, x, dtype=np.float64)[None]
        self.state_ = self._engine.observe(tensors)
        self.n_observations_ = getattr(self, "n_observations_", 0) + len(x)
        return self

    def _answer(self, X: ArrayLike) -> Array:
        """Predict (M, K) from the state."""
        check_is_fitted(self, "state_")
        x = validate_data(self, X, dtype=np.float64, reset=False)
        tensors: dict[str, Any] = {**self.state_, "x_query": x[None]}
        if self.learning_rate is not None:
            tensors["learning_rate"] = self.learning_rate
        return np.asarray(self._engine.predict(tensors)[0], dtype=np.float64)

    def _state(self) -> dict[str, Array]:
        state: dict[str, Array] = getattr(self, "state_", {})
        return state

    def _forget(self) -> None:
        """Begin anew, as `fit` does."""
        for name in ("state_", "n_observations_"):
            self.__dict__.pop(name, None)

    @property
    def _engine(self) -> Engine:
        return engine(self.model, self.url, self.api_key)
