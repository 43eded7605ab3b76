"""The readout of a state: linear in the features, and in y at fixed evidence."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from gdssm.feature_plan import FeaturePlan
from service.errors import Problem, UnsupportedByModel
from service.explaining.features import Features
from service.inference.artifact import RESPONSE, WANT_RESPONSE, WANT_SCALE, Manifest
from service.inference.predictor import Observations, columns, run, weight_of
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.inference.tensor_inference import Infer
from service.inference.wide_readout import varying
from service.levels import Levels


class Fit(NamedTuple):
    """The readout of one context, with its features."""

    manifest: Manifest
    state: Mapping[str, Array]
    """By input name, without the axis of contexts."""
    weight: Array
    """(E, K): the prediction is the mean of y plus weightᵀ·(features − their means)."""
    features: Features
    response: Array
    """(K, E, E): the weight is response · Σ features · y over the observations; zero unless requested."""
    y_is_1d: bool
    """Whether y came as numbers (N,) rather than rows (N, K)."""
    levels: Levels = ()
    """The columns of x that are levels of categories."""

    @property
    def plan(self) -> FeaturePlan:
        """The plan of the features."""
        assert self.manifest.features is not None  # noqa: S101  (see `check_readout`)
        return self.manifest.features

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row of y: () or (K,)."""
        return () if self.y_is_1d else (self.weight.shape[1],)

    @property
    def y_mean(self) -> Array:
        """The prediction at the means of all features (K,)."""
        return self.state["state.mean"][: self.weight.shape[1]]

    @property
    def second_moments(self) -> Array:
        """Weighted second moments of the features about their means (E, E)."""
        outputs = self.weight.shape[1]
        moments: Array = self.state["state.comoment"][outputs:, outputs:] / self.state["state.count"]
        return moments

    @property
    def batch(self) -> dict[str, Array]:
        """The state with an axis of contexts, B = 1."""
        return {name: np.asarray(tensor)[None] for name, tensor in self.state.items()}

    @property
    def layout(self) -> tuple[Array, list[Array]]:
        """The block of each feature (E,), and for each group the shares of the features."""
        tables = self.plan.tables(len(self.features.mean), len(self.features.present), self.levels)
        return tables["block"], [tables[f"group.{number}"] for number in range(self.plan.groups)]

    def strengths(self, kind: Array, of_kind: Array) -> Array:
        """Compute the standard deviation over the context of the effect of each kind of features.

        Args:
            kind: The kind of each feature (E,).
            of_kind: Whether each feature has each of R kinds, 0 or 1 (R, E).

        Returns:
            (R,) or (R, K).
        """
        moments = np.where(kind[:, None] == kind, self.second_moments, 0.0)
        variance = of_kind @ (self.weight * (moments @ self.weight))
        deviation: Array = np.sqrt(variance.clip(min=0.0)).reshape(len(of_kind), *self.shape)
        return deviation


def check_readout(manifest: Manifest, part: str) -> None:
    """Check that predictions are weighted sums of features.

    Raises:
        UnsupportedByModel: They are not.
    """
    if manifest.features is None or manifest.task != "regression":
        text = f"has no {part} in version {manifest.version}: its predictions are not weighted sums of features."
        raise _unsupported(manifest, text, "nonlinear, or linear from 2.0.0 on,")


def check_linear_readout(manifest: Manifest, part: str) -> None:
    """Check that a readout has no features of columns.

    Raises:
        UnsupportedByModel: It has.
    """
    if manifest.features is None or manifest.features.makes_features or manifest.task != "regression":
        raise _unsupported(manifest, f"has no {part}: it is not linear in x.", "linear,")


def _unsupported(manifest: Manifest, text: str, others: str) -> UnsupportedByModel:
    """Make the error for a missing part, with models that have it; no classifier has it."""
    instead = "Leave them out" if manifest.task == "classification" else f"Ask model {others} or leave them out"
    return UnsupportedByModel(Problem("explain", f"model {manifest.name} {text} {instead}."))


def fit_of_state(
    infer: Infer,
    manifest: Manifest,
    state: Mapping[str, Array],
    inputs: int,
    *,
    y_is_1d: bool = False,
    levels: Levels = (),
) -> Fit:
    """Compute the readout of a state (B = 1), whose columns `levels` are levels to `infer` too."""
    outputs = infer({**state, "x_query": np.zeros((1, 1, inputs)), WANT_SCALE: np.zeros(())})
    return _fit(manifest, state, outputs, y_is_1d=y_is_1d, levels=levels)


def fit_of_context(runtime: Runtime, context: Observations, *, response: bool = False) -> Fit:
    """Compute the readout of observations, with its response to y if requested."""
    tensors = {"x": context.x[None], "y": columns(context.y)[None], "weight": weight_of(context)[None]}
    requested = {"x_query": context.x[None, :1], WANT_SCALE: np.zeros(()), WANT_RESPONSE: np.asarray(float(response))}
    outputs = run(runtime, {**tensors, **requested}, {}, context.levels)
    state, flat = runtime.state_after(outputs), context.y.ndim == 1
    return _fit(runtime.manifest, state, outputs, y_is_1d=flat, levels=context.levels)


def weights_of_readout(
    infer: Infer, manifest: Manifest, state: Mapping[str, Array], inputs: int
) -> tuple[Array, Array]:
    """Compute weights (D, K) and intercept (K,) of a state (B = 1), for queries that are not clipped.

    They hold for queries without missing cells.
    """
    fit = fit_of_state(infer, manifest, state, inputs)
    own, of_indicators = fit.weight[:inputs], fit.weight[inputs:]
    absent = 1.0 - fit.features.present
    return own, fit.y_mean - fit.features.mean @ own + absent @ of_indicators


def contributions_at_evidence(runtime: Runtime, context: Observations, query: Array) -> Array:
    """Compute the contribution of each observation to each prediction, with groups and strengths fixed.

    Returns:
        (M, N, K); the sum over N is the prediction.
    """
    fit = fit_of_context(runtime, context, response=True)
    weight, y = weight_of(context), columns(context.y)
    count = float(fit.state["state.count"])
    # Where y varies by no more than rounding, or its square underflows, the prediction is its mean.
    constant = varying(fit.state)[: y.shape[1]] == 0
    requested = fit.features.of_queries(query) @ np.where(constant[:, None, None], 0.0, fit.response)
    share = np.concatenate([requested @ rows.T for rows in fit.features.of_observations(context.x)], 2)
    # The mean of the features has a rounding error, which a large mean of y would multiply.
    share -= (share @ weight / count)[..., None]
    added: Array = (share.transpose(1, 2, 0) + 1.0 / count) * (weight[:, None] * y)
    return added


def _fit(
    manifest: Manifest,
    state: Mapping[str, Array],
    outputs: Mapping[str, Array],
    *,
    y_is_1d: bool,
    levels: Levels = (),
) -> Fit:
    plan, weight = manifest.features, outputs["readout.weight"][0]
    assert plan is not None  # noqa: S101  (see `check_readout`)
    one = {name: tensor[0] for name, tensor in state.items()}
    with np.errstate(all="ignore"):  # imported states may have any values; results are checked
        features = Features.of(plan, one, weight.shape[1], levels)
        return Fit(manifest, one, weight, features, outputs.get(RESPONSE, np.zeros((1,)))[0], y_is_1d, levels)
