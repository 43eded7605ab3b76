"""A scikit-learn regressor on a state of constant size, fitted in one pass."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from gdssm_client import frames
from gdssm_client.explanations import Explanation, ImplicitWeights
from gdssm_client.learning import drift
from gdssm_client.learning.distribution import Wanted, bounds
from gdssm_client.learning.errors import UnsupportedByModel
from gdssm_client.learning.explanation import terms_of_state
from gdssm_client.learning.forgetting import Decay
from gdssm_client.learning.implicit_weights import implicit_weights
from gdssm_client.secret import SupportsSecret
from gdssm_client.sklearn.encoded_frames import Kinds
from gdssm_client.sklearn.estimator import Array, StateEstimator

ASKED = ("coef_", "intercept_")
"""Attributes that a remote model is asked for."""


class GDSSMRegressor(MultiOutputMixin, RegressorMixin, StateEstimator):  # type: ignore[misc]
    """In-context regression as an estimator.

    The cost of `partial_fit` does not depend on the number of earlier observations. `sample_weight` −1 removes an
    observation exactly. (`fit` accepts negative weights too; the sum of all weights must be positive.) The first call
    with more than 32 observations fixes the scale of the features of `nonlinear`.

    Args:
        model: A regression model that streams.
        decay: The factor on the weight of an observation after one more, above 0 and at most 1; "auto" chooses it by
            the order of the observations, for models with intervals; None forgets nothing.
        learning_rate: For models with this parameter (gd-1, gd-8); by the model if left out.
        url: Of a service; the model runs in this process if left out, with the distribution of the service. A user and
            a password in it are not printed.
        api_key: For the service; GDSSM_API_KEY at each call if left out. Stored as a `Secret`.
        allow_precision_loss: Whether `partial_fit` learns observations by which earlier ones lose their significant
            digits, so that they cannot be removed again; ValueError otherwise.
        kinds: What columns of a frame hold, by name: "number", "yes_no", "category", "time" or "left_out". The other
            columns are inferred. With it X must be a frame.
        verbose: Whether to show the progress on the standard error, if that is a terminal.

    Attributes:
        coef_: The slopes of the equivalent linear model, (D,) or (K, D), in the caller's units; for models that are
            linear in x, such as `linear`. D columns of x: see `x_columns_`.
        intercept_: Its intercept, a number or (K,).
        state_: The state, by tensor name.
        model_version_: Of the model.
        memory_length_: With decay "auto" the effective number of observations in the state.
        n_observations_: Rows seen.
        n_features_in_, feature_names_in_: As everywhere in scikit-learn.
        schema_: What became of each column of a frame; None where all columns are numbers.
        x_columns_: Names of the columns of x, such as `town=Bern` of a category.
        findings_: Cells of the last call of `fit` or `partial_fit` that are not as the schema has them.
    """

    def __init__(
        self,
        model: str = "nonlinear",
        *,
        decay: Decay = None,
        learning_rate: float | None = None,
        url: str | None = None,
        api_key: str | SupportsSecret | None = None,
        allow_precision_loss: bool = False,
        kinds: Kinds = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(model, learning_rate, url, api_key, allow_precision_loss, verbose=verbose)
        self.kinds = kinds
        self.decay = decay

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn observations, and forget earlier ones."""
        self._forget()
        return self._learn(X, y, sample_weight, more_to_come=False)

    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn further observations."""
        return self._learn(X, y, sample_weight, more_to_come=True)

    def _learn(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, *, more_to_come: bool) -> Self:
        first, kinds = not hasattr(self, "state_"), {"multi_output": True, "y_numeric": True}
        rows, targets = self._checked(X, y, lambda y: frames.read(y, "y").numbers, more_to_come=more_to_come, **kinds)
        if first:
            self._flat = targets.ndim == 1
        return self._observe(rows, targets.reshape(len(targets), -1), sample_weight)

    def predict(self, X: ArrayLike, return_std: bool = False) -> Array | tuple[Array, Array]:
        """Predict (M,) or (M, K), as y in `fit`.

        Args:
            X: (M, D).
            return_std: Whether to return the standard deviation of each prediction too; infinite with at most three
                observations, as for a t distribution with two degrees of freedom.

        Raises:
            ValueError: The model gives no intervals.
        """
        if not return_std:
            return self._as_y(self._answer(X))
        prediction, scale, freedom = self._outputs(X, "prediction", "scale", "degrees_of_freedom")
        inflation = np.sqrt(np.divide(freedom, freedom - 2.0, out=np.full_like(freedom, np.inf), where=freedom > 2.0))
        with np.errstate(invalid="ignore"):
            deviation = np.where(scale > 0, scale * inflation[:, None], np.where(freedom[:, None] > 0, 0.0, np.inf))
        return self._as_y(prediction), self._as_y(deviation)

    def predict_interval(self, X: ArrayLike, level: float = 0.9) -> tuple[Array, Array]:
        """Predict bounds between which y lies with a probability, in equal tails.

        Args:
            X: (M, D).
            level: The probability, above 0 and below 1.

        Returns:
            The lower and the upper bounds, as `predict`; NaN after a single observation.

        Raises:
            ValueError: The model gives no intervals, or the level is out of its range.
        """
        lower, upper = self.predict_quantiles(X, [0.5 - 0.5 * level, 0.5 + 0.5 * level])
        return lower, upper

    def predict_quantiles(self, X: ArrayLike, quantiles: Sequence[float]) -> Array:
        """Predict the values below which y lies with each probability: (Q, M) or (Q, M, K).

        Raises:
            ValueError: As for `predict_interval`.
        """
        if not all(0.0 < probability < 1.0 for probability in quantiles):
            raise ValueError(f"Probabilities must be above 0 and below 1; these are {list(quantiles)}.")
        prediction, scale, freedom = self._outputs(X, "prediction", "scale", "degrees_of_freedom")
        outputs = {"prediction": prediction[None], "scale": scale[None], "degrees_of_freedom": freedom[:1]}
        found = bounds(outputs, Wanted(quantiles=tuple(quantiles))).quantiles
        assert found is not None  # noqa: S101
        return np.stack([self._as_y(quantile) for quantile in found[0]])

    def explain(self, level: float | None = None) -> Explanation:
        """Compute the effects of all columns of x (see `x_columns_`), the strongest pairs, and the blocks of features.

        Args:
            level: The probability of the interval of each effect, above 0 and below 1; no interval if None.

        Returns:
            `effects`, `pairs` and `blocks`; parts that need the observations are None.

        Raises:
            ValueError: The model has none of them, or the level is out of its range.
        """
        check_is_fitted(self, "state_")
        if level is not None and not 0.0 < level < 1.0:
            raise ValueError(f"The level must be above 0 and below 1; this is {level}.")
        with self._engine(self.schema_) as engine:
            inputs = engine.infer, engine.manifest, self.state_, len(self.x_columns_)
            return terms_of_state(*inputs, y_is_1d=self._flat, level=level, levels=engine.levels)

    def _as_y(self, columns: Array) -> Array:
        return columns[:, 0] if self._flat else columns

    @property
    def memory_length_(self) -> float:
        """With decay "auto" the effective number of observations in the state.

        Raises:
            NotFittedError: The estimator is not fitted.
            AttributeError: The decay is not "auto".
        """
        check_is_fitted(self, "state_")
        if drift.LOG_WEIGHT not in self.state_:
            raise AttributeError('memory_length_ requires decay "auto".')
        return drift.memory_length(self.state_)

    @property
    def coef_(self) -> Array:
        """The slopes (D,), or (K, D) where y is rows.

        Raises:
            NotFittedError: The estimator is not fitted.
            AttributeError: The model is not linear in x.
        """
        weights = self._linear().weights
        return np.asarray(weights[:, 0] if self._flat else weights.T, np.float64)

    @property
    def intercept_(self) -> Any:  # noqa: ANN401  (a number or an array, as in scikit-learn)
        """The prediction at x = 0: a number, or (K,) where y is rows; raises as `coef_` does."""
        intercept = self._linear().intercept
        return float(intercept[0]) if self._flat else np.asarray(intercept, np.float64)

    def __dir__(self) -> list[str]:
        """List attributes; the HTML representation evaluates them, so those that ask a service are left out."""
        if self.url is None:
            return [*super().__dir__()]
        return [name for name in object.__dir__(self) if name not in ASKED and hasattr(self, name)]

    def _linear(self) -> ImplicitWeights:
        check_is_fitted(self, "state_")
        parameters = self._parameters()
        with self._engine(self.schema_) as engine:
            inputs = engine.manifest, self.state_, len(self.x_columns_)
            try:
                return implicit_weights(lambda tensors: engine.infer({**tensors, **parameters}), *inputs)
            except UnsupportedByModel as error:
                raise AttributeError(str(error)) from error
