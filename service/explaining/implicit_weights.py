"""The linear model that a context is equivalent to, in the caller's units, computed by queries to the graph."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from gdssm.decay_average import probabilities
from service.errors import Problem, UnsupportedByModel
from service.explaining.readout import check_linear_readout, weights_of_readout
from service.explaining.terms import ImplicitWeights
from service.inference.artifact import Manifest
from service.inference.predictor import Observations, check_finite, columns, run, weight_of
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.inference.tensor_inference import Infer
from service.states import drift
from service.states.context_state import ContextState

PROBE_DISTANCE = 2.0**30
"""Standard deviations between the mean and a probe: large, so that the intercept costs no digits of the slope."""


def implicit_weights(infer: Infer, manifest: Manifest, state: Mapping[str, Array], inputs: int) -> ImplicitWeights:
    """Compute the linear model of a state.

    Args:
        infer: The model, in this process or on a service, with its parameters.
        manifest: Of the model.
        state: Of one context, by input name: B = 1, or one of several forgetting factors, which are averaged.
        inputs: D; a state may have D + K only.

    Returns:
        Weights (D, K) and intercept (K,).

    Raises:
        UnsupportedByModel: The model's predictions are not linear in the query.
        NumericOverflow: They overflow.
    """
    check_affine(manifest)
    if drift.LOG_WEIGHT in state:
        return _average(infer, manifest, drift.settled(manifest, infer, state), inputs)
    if manifest.features is not None:
        found = ImplicitWeights(*weights_of_readout(infer, manifest, state, inputs))
        check_finite([found.weights, found.intercept], manifest, {})
        return found
    with np.errstate(over="ignore", invalid="ignore"):
        centre, reach = _probes(manifest, state, inputs)
        above, below = centre + np.diag(reach), centre - np.diag(reach)
        queries = np.concatenate([centre[None], above, below])
        answers = infer({**state, "x_query": queries[None]})["prediction"][0]
        middle, at_above, at_below = np.split(answers, [1, 1 + inputs])
        weights = (at_above - at_below) / (above - below).diagonal()[:, None]
        intercept = middle[0] - centre @ weights
    check_finite([weights, intercept], manifest, {})
    return ImplicitWeights(weights, intercept)


def _average(infer: Infer, manifest: Manifest, state: Mapping[str, Array], inputs: int) -> ImplicitWeights:
    """Average the linear models of all forgetting factors."""
    tensors, probability = drift.of_model(state), probabilities(state[drift.LOG_WEIGHT])
    states = ({name: tensor[i : i + 1] for name, tensor in tensors.items()} for i in range(drift.FACTORS))
    each = [implicit_weights(infer, manifest, state, inputs) for state in states]
    weights, intercept = (np.array([getattr(one, part) for one in each]) for part in ("weights", "intercept"))
    return ImplicitWeights(np.tensordot(probability, weights, 1), np.tensordot(probability, intercept, 1))


def implicit_weights_of(runtime: Runtime, context: Observations, parameters: Mapping[str, float]) -> ImplicitWeights:
    """Compute the linear model of observations.

    Returns:
        Weights (D, K) and intercept (K,), or (D,) and () where y is (N,).
    """
    tensors = {"x": context.x[None], "y": columns(context.y)[None], "weight": weight_of(context)[None]}
    state = runtime.state_after(run(runtime, tensors, {}, context.levels))
    infer = partial(run, runtime, parameters=parameters, levels=context.levels)
    found, shape = implicit_weights(infer, runtime.manifest, state, context.x.shape[1]), context.y.shape[1:]
    return ImplicitWeights(found.weights.reshape(-1, *shape), found.intercept.reshape(shape))


def implicit_weights_in(
    runtime: Runtime, context: ContextState, parameters: Mapping[str, float] | None = None
) -> ImplicitWeights:
    """Compute the linear model of a context with observations."""
    infer = partial(run, runtime, parameters=parameters or {}, levels=context.levels)
    found = implicit_weights(infer, runtime.manifest, context.tensors or {}, context.inputs or 0)
    return ImplicitWeights(found.weights[:, 0], found.intercept[0]) if context.y_is_1d else found


def check_affine(manifest: Manifest) -> None:
    """Check that the model has implicit weights.

    Raises:
        UnsupportedByModel: It has none.
    """
    if manifest.features is not None:
        check_linear_readout(manifest, "implicit weights")
    elif not (manifest.affine_in_query and manifest.streams):
        message = f"model {manifest.name} has no implicit weights: it is not linear in the query."
        raise UnsupportedByModel(Problem("explain", message))


def _probes(manifest: Manifest, state: Mapping[str, Array], inputs: int) -> tuple[Array, Array]:
    """Choose queries that lose few digits: around the mean of x, by its scale, if the state has them.

    Returns:
        The centre (D,) and the distance from it along each axis (D,).
    """
    if manifest.merge.rule != "moments":
        return np.zeros(inputs), np.ones(inputs)
    centre, count = state["state.mean"][0, :inputs], np.abs(state["state.count"])
    variance = np.abs(state["state.comoment"][0].diagonal()[:inputs]) / np.where(count > 0, count, 1.0)
    reach = PROBE_DISTANCE * np.sqrt(variance)
    return centre, np.where(reach > 0, reach, np.maximum(np.abs(centre), 1.0))
