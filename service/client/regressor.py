"""A scikit-learn regressor whose fit is one pass and whose memory is a state of constant size."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from service.client.estimator import Array, StateEstimator
from service.errors import UnsupportedByModel
from service.explaining.implicit_weights import ImplicitWeights, implicit_weights


class GDSSMRegressor(MultiOutputMixin, RegressorMixin, StateEstimator):  # type: ignore[misc]
    """In-context regression as an estimator.

    `partial_fit` learns further observations at a cost that does not depend on how many there were. With
    `sample_weight` −1 it takes an observation out again: what is left is what there would be without it. (`fit` takes
    negative weights too; the weights of all that is learnt must add up to more than zero.)

    Args:
        model: A regression model that streams.
        learning_rate: For the models that take one (gd-1, gd-8); left out, each step takes its own.
        url: Of a service; without it the model runs in this process.
        api_key: For the service.

    Attributes:
        coef_: The linear model that the context amounts to, (D,) or (K, D), in the caller's units.
        intercept_: Its intercept, a number or (K,).
        state_: What is remembered of the data, by tensor name.
        model_version_: Of the model that learnt.
        n_observations_: Rows seen.
        n_features_in_, feature_names_in_: As everywhere in scikit-learn.
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

    @property
    def coef_(self) -> Array:
        """The slopes (D,), or (K, D) where y is rows.

        Raises:
            NotFittedError: Nothing was learnt yet.
            AttributeError: The model is not linear in x.
        """
        weights = self._linear().weights
        return np.asarray(weights[:, 0] if self._flat else weights.T, np.float64)

    @property
    def intercept_(self) -> Any:  # noqa: ANN401  (a number or an array, as in scikit-learn)
        """What is predicted at x = 0: a number, or (K,) where y is rows; raises as `coef_` does."""
        intercept = self._linear().intercept
        return float(intercept[0]) if self._flat else np.asarray(intercept, np.float64)

    def _linear(self) -> ImplicitWeights:
        check_is_fitted(self, "state_")
        parameters = self._parameters()
        with self._engine() as engine:
            try:
                return implicit_weights(
                    lambda tensors: engine.infer({**tensors, **parameters}),
                    engine.manifest,
                    self.state_,
                    self.n_features_in_,
                )
            except UnsupportedByModel as error:
                raise AttributeError(str(error)) from error
