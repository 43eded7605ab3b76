"""The readout of a state: linear in the features of a model, and in y at the weights that the evidence chose."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from gdssm.feature_plan import FeaturePlan
from service.artifact import RESPONSE, WANT_RESPONSE, WANT_SCALE, Manifest
from service.errors import Problem, UnsupportedByModel
from service.explaining.features import Features
from service.inference import Infer
from service.levels import Levels
from service.predictor import Context, columns, run, weight_of
from service.runtime import Runtime
from service.shapes import Array
from service.wide_readout import varying


class Fit(NamedTuple):
    """The readout of one context, and the features that it is on."""

    manifest: Manifest
    state: Mapping[str, Array]
    """By input name, without the axis of contexts."""
    weight: Array
    """(E, K): the prediction is the mean of y plus weightᵀ·(features − their means)."""
    features: Features
    flat_y: bool
    """Whether y came as numbers (N,) rather than rows (N, K)."""
    levels: Levels = ()
    """Which columns of x are levels of categories."""

    @property
    def plan(self) -> FeaturePlan:
        """Which features the model makes."""
        assert self.manifest.features is not None  # noqa: S101  (see `check_readout`)
        return self.manifest.features

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row of y, as it came: () or (K,)."""
        return () if self.flat_y else (self.weight.shape[1],)

    @property
    def y_mean(self) -> Array:
        """What is predicted at the means of all features (K,)."""
        return self.state["state.mean"][: self.weight.shape[1]]

    @property
    def second_moments(self) -> Array:
        """Those of the features about their means, each observation by its weight (E, E)."""
        outputs = self.weight.shape[1]
        moments: Array = self.state["state.comoment"][outputs:, outputs:] / self.state["state.count"]
        return moments

    @property
    def batch(self) -> dict[str, Array]:
        """The state as one of a batch of one."""
        return {name: np.asarray(tensor)[None] for name, tensor in self.state.items()}

    @property
    def layout(self) -> tuple[Array, list[Array]]:
        """The block of each feature (E,), and for each group the share of each feature's block."""
        tables = self.plan.tables(len(self.features.mean), len(self.features.present), self.levels)
        return tables["block"], [tables[f"group.{number}"] for number in range(self.plan.groups)]

    def strengths(self, kind: Array, of_kind: Array) -> Array:
        """Find the standard deviation over the context of what each kind of features adds.

        Args:
            kind: Of each feature (E,).
            of_kind: Whether each feature is of each of R kinds, 0 or 1 (R, E).

        Returns:
            (R,) or (R, K).
        """
        moments = np.where(kind[:, None] == kind, self.second_moments, 0.0)
        variance = of_kind @ (self.weight * (moments @ self.weight))
        deviation: Array = np.sqrt(variance.clip(min=0.0)).reshape(len(of_kind), *self.shape)
        return deviation


def check_readout(manifest: Manifest, part: str) -> None:
    """See that predictions are weighted sums of features.

    Raises:
        UnsupportedByModel: They are not.
    """
    if manifest.features is None or manifest.task != "regression":
        text = f"has no {part} in version {manifest.version}: its predictions are no weighted sums of features."
        raise _unsupported(manifest, text, "nonlinear, or linear from 2.0.0 on,")


def check_linear_readout(manifest: Manifest, part: str) -> None:
    """See that a readout can be explained column by column.

    Raises:
        UnsupportedByModel: It is on further features.
    """
    if manifest.features is None or manifest.features.makes_features or manifest.task != "regression":
        raise _unsupported(manifest, f"has no {part}: it is not linear in x.", "linear,")


def _unsupported(manifest: Manifest, text: str, others: str) -> UnsupportedByModel:
    """Say what a model lacks, and which others have it; no classification has it."""
    instead = "Leave them out" if manifest.task == "classification" else f"Ask model {others} or leave them out"
    return UnsupportedByModel(Problem("explain", f"model {manifest.name} {text} {instead}."))


def fit_of_state(
    infer: Infer, manifest: Manifest, state: Mapping[str, Array], inputs: int, *, flat_y: bool = False
) -> Fit:
    """Ask the model for the readout of a state (B = 1)."""
    outputs = infer({**state, "x_query": np.zeros((1, 1, inputs)), WANT_SCALE: np.zeros(())})
    return _fit(manifest, state, outputs, flat_y=flat_y)


def fit_of_context(runtime: Runtime, context: Context) -> Fit:
    """Do the same for the observations themselves."""
    return _fit_of_context(runtime, context, response=False)[0]


def weights_of_readout(
    infer: Infer, manifest: Manifest, state: Mapping[str, Array], inputs: int
) -> tuple[Array, Array]:
    """Read weights (D, K) and intercept (K,) off a state (B = 1), for queries within reach of its observations.

    Missing cells apart: the weights are for queries that have them all.
    """
    fit = fit_of_state(infer, manifest, state, inputs)
    own, of_indicators = fit.weight[:inputs], fit.weight[inputs:]
    absent = 1.0 - fit.features.present
    return own, fit.y_mean - fit.features.mean @ own + absent @ of_indicators


def contributions_at_evidence(runtime: Runtime, context: Context, query: Array) -> Array:
    """Find what each observation adds to each prediction, the evidence's choice of groups and strengths being as it is.

    Returns:
        (M, N, K): each sums over N to the prediction.
    """
    fit, response = _fit_of_context(runtime, context, response=True)
    weight, y = weight_of(context), columns(context.y)
    count = float(fit.state["state.count"])
    # Where y does not vary by more than rounding, or than floating point can square, the prediction is its mean.
    constant = varying(fit.state)[: y.shape[1]] == 0
    asked = fit.features.of_queries(query) @ np.where(constant[:, None, None], 0.0, response)
    share = np.concatenate([asked @ rows.T for rows in fit.features.of_observations(context.x)], 2)
    # Rounding leaves the mean of the features of all observations a little off, which a large mean of y would multiply.
    share -= (share @ weight / count)[..., None]
    added: Array = (share.transpose(1, 2, 0) + 1.0 / count) * (weight[:, None] * y)
    return added


def _fit_of_context(runtime: Runtime, context: Context, *, response: bool) -> tuple[Fit, Array]:
    tensors = {"x": context.x[None], "y": columns(context.y)[None], "weight": weight_of(context)[None]}
    asked = {"x_query": context.x[None, :1], WANT_SCALE: np.zeros(()), WANT_RESPONSE: np.asarray(float(response))}
    outputs, levels = run(runtime, {**tensors, **asked}, {}, context.levels), context.levels
    fit = _fit(runtime.manifest, runtime.state_after(outputs), outputs, flat_y=context.y.ndim == 1, levels=levels)
    return fit, outputs[RESPONSE][0]


def _fit(
    manifest: Manifest,
    state: Mapping[str, Array],
    outputs: Mapping[str, Array],
    *,
    flat_y: bool,
    levels: Levels = (),
) -> Fit:
    plan, weight = manifest.features, outputs["readout.weight"][0]
    assert plan is not None  # noqa: S101  (see `check_readout`)
    one = {name: tensor[0] for name, tensor in state.items()}
    with np.errstate(all="ignore"):  # a state that came from elsewhere may hold anything; what is made of it is checked
        features = Features.of(plan, one, weight.shape[1], levels)
        return Fit(manifest, one, weight, features, flat_y, levels)
