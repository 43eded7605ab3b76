"""The contribution of each observation to each prediction, computed by the graph, as predictions are linear in y."""

from collections.abc import Iterator, Mapping

import numpy as np

from service.errors import InvalidInput, Problem, UnsupportedByModel
from service.explaining.readout import check_readout, contributions_at_evidence
from service.inference.artifact import Manifest
from service.inference.checks import Limits, limit_problems
from service.inference.predictor import Observations, check_finite, columns, run, weight_of
from service.inference.runtime import Runtime
from service.inference.sizes import Array

SINGLE_RUN_LIMIT = 256
"""Observations whose contributions are computed in one run, whose cost grows with their cube."""
BLOCK_SIZE = 64
"""Observations of one run where there are more, or D if that is larger."""
RUN_NUMBERS = 2**22
"""Numbers in one run while the state is built."""


def contributions(
    runtime: Runtime, context: Observations, query: Array, parameters: Mapping[str, float], limits: Limits
) -> Array:
    """Compute contributions, whose sum over the observations is the prediction.

    Predictions are Σₙ A[m, n]·y[n]. A column of A is the prediction from y = 1 at one observation and 0 elsewhere;
    as all columns of y are treated alike, one run computes as many columns of A as y has. For many observations the
    state of all of them with y = 0 is computed once, so that the cost is linear in their number.

    Args:
        runtime: The model.
        context: N observations that fit it.
        query: (M, D).
        parameters: By name.
        limits: Where `max_predictions` bounds M·N·K.

    Returns:
        (M, N) or (M, N, K), as y came.

    Raises:
        UnsupportedByModel: Predictions are not linear in y.
        InvalidInput: The answer would be too large.
        NumericOverflow: They overflow.
    """
    check_linear(runtime.manifest, parameters)
    _check_size(len(query), context, limits)
    if runtime.manifest.features is not None:
        shares = contributions_at_evidence(runtime, context, query).reshape(len(query), *context.y.shape)
        check_finite([shares], runtime.manifest, parameters)
        return shares
    operator = _operator(runtime, context, query, parameters)
    with np.errstate(over="ignore"):
        shares = operator.reshape(*operator.shape, *[1] * (context.y.ndim - 1)) * context.y
    check_finite([shares], runtime.manifest, parameters)
    return shares


def no_contributions_of_a_state() -> UnsupportedByModel:
    """Make the error for contributions of a stored context."""
    return _unsupported(
        "contributions need the observations, which a stored context does not have. Leave them out, or send the "
        "observations to POST /v1/predict."
    )


def check_linear(manifest: Manifest, parameters: Mapping[str, float]) -> None:
    """Check that the model has contributions, with these parameters.

    Raises:
        UnsupportedByModel: It has none.
    """
    if manifest.features is not None:
        check_readout(manifest, "contributions")
        return
    required = manifest.linear_in_y_given
    linear = manifest.linear_in_y or (required and set(required) <= parameters.keys())
    if linear and manifest.streams and manifest.dims["K"] == "any" and manifest.merge.rule != "none":
        return
    instead = f" unless {' and '.join(required)} is given in parameters" if required else ""
    raise _unsupported(
        f"model {manifest.name} has no contributions: its predictions are not linear in y{instead}. "
        "Leave them out of explain."
    )


def _operator(runtime: Runtime, context: Observations, query: Array, parameters: Mapping[str, float]) -> Array:
    """A (M, N)."""
    runs = _one_run(context) if len(context.x) <= SINGLE_RUN_LIMIT else _runs(runtime, context)
    shares = [run(runtime, {**tensors, "x_query": query[None]}, parameters)["prediction"][0] for tensors in runs]
    return np.concatenate(shares, axis=1)[:, : len(context.x)]


def _one_run(context: Observations) -> Iterator[dict[str, Array]]:
    yield {"x": context.x[None], "y": np.eye(len(context.x))[None], "weight": weight_of(context)[None]}


def _runs(runtime: Runtime, context: Observations) -> Iterator[dict[str, Array]]:
    """Replace one block after another in the state of all observations with y = 0 by the block with y = 1."""
    x, weight, size = context.x, weight_of(context), max(BLOCK_SIZE, context.x.shape[1])
    base = _state_without_y(runtime, x, weight, size)
    for start in range(0, len(x), size):
        block = slice(start, start + size)
        units = np.eye(len(x[block]), size)
        yield {
            **base,
            "x": np.concatenate([x[block], x[block]])[None],
            "y": np.concatenate([0.0 * units, units])[None],
            "weight": np.concatenate([-weight[block], weight[block]])[None],
        }


def _state_without_y(runtime: Runtime, x: Array, weight: Array, outputs: int) -> dict[str, Array]:
    """Observe every x with y = 0, in pieces of bounded size."""
    state: dict[str, Array] = {}
    rows = max(1, RUN_NUMBERS // (x.shape[1] + outputs))
    for start in range(0, len(x), rows):
        piece = slice(start, start + rows)
        y = np.zeros((len(x[piece]), outputs))
        tensors = {"x": x[None, piece], "y": y[None], "weight": weight[None, piece]}
        state = runtime.state_after(run(runtime, {**state, **tensors}, {}))
    return state


def _check_size(queries: int, context: Observations, limits: Limits) -> None:
    problems = limit_problems(
        "explain",
        queries * columns(context.y).size,
        "contributions (queries × observations × columns of y)",
        limits.max_predictions,
        "GDSSM_MAX_PREDICTIONS",
        remedy='Send fewer queries at a time, or ask for ["implicit_weights"] alone.',
    )
    if problems:
        raise InvalidInput(*problems)


def _unsupported(message: str) -> UnsupportedByModel:
    return UnsupportedByModel(Problem("explain", message))
