"""Explanations of models with a readout: linear in their features, and in y at the weights that the evidence chose."""

from collections.abc import Mapping

import numpy as np

from service.artifact import RESPONSE, WANT_RESPONSE, WANT_SCALE, Manifest
from service.errors import Problem, UnsupportedByModel
from service.inference import Infer
from service.predictor import Context, columns, run, weight_of
from service.runtime import Runtime
from service.shapes import Array


def is_linear_in_columns(manifest: Manifest) -> bool:
    """Tell whether the features of a readout are the columns of x themselves."""
    return manifest.features is not None and not manifest.features.makes_features


def check_linear_readout(manifest: Manifest, part: str) -> None:
    """See that a readout can be explained column by column.

    Raises:
        UnsupportedByModel: It is on further features.
    """
    if not is_linear_in_columns(manifest):
        text = f"model {manifest.name} has no {part}: it is not linear in x. Ask model linear, or leave them out."
        raise UnsupportedByModel(Problem("explain", text))


def weights_of_readout(infer: Infer, state: Mapping[str, Array], inputs: int) -> tuple[Array, Array]:
    """Read weights (D, K) and intercept (K,) off a state (B = 1), for queries within reach of its observations.

    Missing cells apart: the weights are for queries that have them all.
    """
    outputs = infer({**state, "x_query": np.zeros((1, 1, inputs)), WANT_SCALE: np.zeros(())})
    weight, mean = outputs["readout.weight"][0], state["state.mean"][0]
    own, of_indicators = weight[:inputs], weight[inputs:]
    y_mean, x_mean = mean[:-inputs], mean[-inputs:]
    absent = 1.0 - state["state.present"][0]
    return own, y_mean - x_mean @ own + absent @ of_indicators


def contributions_at_evidence(runtime: Runtime, context: Context, query: Array) -> Array:
    """Find what each observation adds to each prediction, the evidence's choice of strengths being what it is.

    Returns:
        (M, N, K): each sums over N to the prediction.
    """
    weight, y = weight_of(context), columns(context.y)
    tensors = {"x": context.x[None], "y": y[None], "weight": weight[None], "x_query": query[None]}
    outputs = run(runtime, {**tensors, WANT_RESPONSE: np.ones(()), WANT_SCALE: np.zeros(())}, {})
    state = runtime.state_after(outputs)
    outputs_count = y.shape[1]
    mean, present = state["state.mean"][0, outputs_count:], state["state.present"][0]
    response = outputs[RESPONSE][0]
    count = float(state["state.count"][0])
    rows, asked = (_features(x, mean, present) for x in (context.x, query))
    rows -= weight @ rows / count  # what rounding of the means leaves, which a large mean of y would multiply
    asked = _moved_in(asked, state, outputs_count)
    share = np.einsum("me,kef,nf->mnk", asked, response, rows, optimize=True)
    added: Array = (share + 1.0 / count) * (weight[:, None] * y)
    return added


def _features(x: Array, mean: Array, present: Array) -> Array:
    """Offsets from the means, of the cells and of their indicators."""
    there = ~np.isnan(x)
    offset = np.where(there, x - mean, 0.0)
    return np.concatenate([offset, there - present], 1) if present.size else offset


def _moved_in(features: Array, state: Mapping[str, Array], outputs: int) -> Array:
    """Move queries in to 1 + √(n − 1) standard deviations, as the graph does."""
    inputs = state["state.mean"].shape[1] - outputs
    count, squares = float(state["state.count"][0]), float(state["state.count_of_squares"][0])
    effective = count * count / squares if squares > 0 else 0.0
    variance = state["state.comoment"][0].diagonal()[outputs : outputs + inputs].clip(min=0.0) / count
    reach = (1.0 + np.sqrt(max(effective - 1.0, 0.0))) * np.sqrt(variance)
    moved = features.copy()
    moved[:, :inputs] = moved[:, :inputs].clip(-reach, reach)
    return moved
