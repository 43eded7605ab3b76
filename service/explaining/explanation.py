"""Explanations of a prediction and of a context."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial

import numpy as np

from service.errors import Problem, UnsupportedByModel
from service.explaining.contributions import check_linear, contributions, no_contributions_of_a_state
from service.explaining.effects import blocks, check_size, effects, grid_of_observations, grid_of_state, pairs
from service.explaining.implicit_weights import check_affine, implicit_weights_in, implicit_weights_of
from service.explaining.readout import Fit, check_readout, fit_of_context, fit_of_state
from service.explaining.terms import PARTS, TERMS, Explanation, Part
from service.inference.artifact import Manifest
from service.inference.checks import Limits
from service.inference.distribution import NOTHING, Wanted
from service.inference.predictor import Observations, Prediction, Predictor, check_finite, run, width_of
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.inference.tensor_inference import Infer
from service.levels import Levels
from service.states import drift
from service.states.context_state import ContextState
from service.states.forgetting import AUTO


def predict_and_explain(
    predictor: Predictor,
    model: str | None,
    context: Observations,
    query: Array,
    parameters: Mapping[str, float] | None = None,
    *,
    wanted: Wanted = NOTHING,
    version: str | None = None,
    explain: Collection[Part] = PARTS,
) -> tuple[Prediction, Explanation]:
    """Predict and explain.

    Args:
        predictor: Has the models.
        model: Its name; the default model if left out.
        context: At least one observation.
        query: (M, D).
        parameters: By name.
        wanted: An interval, of the predictions and of the effects, and quantiles.
        version: Of the model; the highest one if left out.
        explain: Names of parts; all names for the parts that the model has.

    Raises:
        UnsupportedByModel: The model lacks a part.
        InvalidInput: As for a prediction, or the explanation would be too large.
        NumericOverflow: The prediction or its explanation overflows.
        UnknownModel: No such model.
        NotReady: No model at all.
    """
    runtime, parameters = predictor.runtime(model, version), parameters or {}
    requested = available(runtime.manifest, parameters, explain)
    if "effects" in requested:
        check_size(context.x.shape[1], width_of(context.y), wanted.interval, predictor.limits)
    prediction = predictor.answer(runtime, context, query, parameters, wanted)
    found = Explanation()
    if requested & TERMS:
        fit, grid = fit_of_context(runtime, context), partial(grid_of_observations, context)
        found = _terms(fit, requested, grid, wanted.interval)
    if "implicit_weights" in requested:
        found = replace(found, implicit_weights=implicit_weights_of(runtime, context, parameters))
    if "contributions" in requested:
        shares = contributions(runtime, context, query, parameters, predictor.limits)
        found = replace(found, contributions=shares)
    return prediction, found


def explain_state(
    runtime: Runtime,
    context: ContextState,
    limits: Limits,
    parameters: Mapping[str, float] | None = None,
    *,
    wanted: Wanted = NOTHING,
    explain: Collection[Part],
) -> Explanation:
    """Explain the predictions of a context with observations; it has no contributions.

    Raises:
        UnsupportedByModel, InvalidInput, NumericOverflow: As for `predict_and_explain`.
    """
    manifest, inputs, outputs = runtime.manifest, context.inputs or 0, context.outputs or 0
    if "contributions" in explain and set(explain) != set(PARTS):
        raise no_contributions_of_a_state()
    requested = available(manifest, parameters or {}, explain) - {"contributions"}
    if context.decay == AUTO and requested & TERMS:
        if set(explain) != set(PARTS) or requested <= TERMS:
            raise no_terms_of_an_average()
        requested -= TERMS
    if "effects" in requested:
        check_size(inputs, outputs, wanted.interval, limits)
    found = Explanation()
    if requested & TERMS:
        levels, flat = context.levels, bool(context.y_is_1d)
        infer = partial(run, runtime, parameters={}, levels=levels)
        fit = fit_of_state(infer, manifest, context.tensors or {}, inputs, y_is_1d=flat, levels=levels)
        found = _terms(fit, requested, partial(grid_of_state, fit), wanted.interval)
    if "implicit_weights" in requested:
        found = replace(found, implicit_weights=implicit_weights_in(runtime, context, parameters))
    return found


def no_terms_of_an_average() -> UnsupportedByModel:
    """Make the error for effects, pairs and blocks of an average of models."""
    text = 'has no effects, pairs or blocks where the decay is "auto", which averages several models. Leave them out.'
    return UnsupportedByModel(Problem("explain", text))


def terms_of_state(
    infer: Infer,
    manifest: Manifest,
    state: Mapping[str, Array],
    inputs: int,
    *,
    y_is_1d: bool,
    level: float | None,
    levels: Levels = (),
) -> Explanation:
    """Compute the effects, with an interval of probability `level`, the pairs and the blocks of a state.

    Args:
        infer: The model, in this process or on a service.
        manifest: Of the model.
        state: Of one context (B = 1), by input name.
        inputs: D.
        y_is_1d: Whether y comes as numbers (N,) rather than rows (N, K).
        level: Above 0 and below 1.
        levels: The columns of x that are levels of categories, to `infer` too.

    Raises:
        UnsupportedByModel: The model has none.
    """
    check_readout(manifest, "effects, pairs or blocks")
    if drift.LOG_WEIGHT in state:
        raise no_terms_of_an_average()
    fit = fit_of_state(infer, manifest, state, inputs, y_is_1d=y_is_1d, levels=levels)
    return _terms(fit, TERMS, partial(grid_of_state, fit), level)


def _terms(fit: Fit, requested: Set[Part], grid: Callable[[], Sequence[Array]], level: float | None) -> Explanation:
    with np.errstate(all="ignore"):
        found = Explanation(
            effects=effects(fit, grid(), level) if "effects" in requested else None,
            pairs=pairs(fit) if "pairs" in requested else None,
            blocks=blocks(fit) if "blocks" in requested else None,
        )
    check_finite(_finite_parts(found), fit.manifest, {})
    return found


def _finite_parts(found: Explanation) -> Iterator[Array]:
    """All numbers of the terms except bounds, which are NaN after a single observation."""
    for effect in found.effects.columns if found.effects else ():
        yield from (effect.values, effect.effect, effect.strength)
    for pair in found.pairs or ():
        yield from (pair.strength, pair.weight)
    for block in found.blocks or ():
        yield from (block.probability, block.strength)


def available(manifest: Manifest, parameters: Mapping[str, float], explain: Collection[Part]) -> set[Part]:
    """Return the named parts; if all are named, those that the model has.

    Raises:
        UnsupportedByModel: It lacks a named part, or has none at all.
    """
    if set(explain) != set(PARTS):
        for part in explain:
            _check(part, manifest, parameters)
        return set(explain)
    found = {part for part in PARTS if _has(part, manifest, parameters)}
    if not found:
        text = f"model {manifest.name} has no explanation of its predictions. Leave explain out, or ask another model."
        raise UnsupportedByModel(Problem("explain", text))
    return found


def _has(part: Part, manifest: Manifest, parameters: Mapping[str, float]) -> bool:
    try:
        _check(part, manifest, parameters)
    except UnsupportedByModel:
        return False
    return True


def _check(part: Part, manifest: Manifest, parameters: Mapping[str, float]) -> None:
    if part == "implicit_weights":
        check_affine(manifest)
    elif part == "contributions":
        check_linear(manifest, parameters)
    else:
        check_readout(manifest, part)
