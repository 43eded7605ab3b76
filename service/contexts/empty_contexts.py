"""Contexts before their first observation: the model, and the known facts of the columns."""

from dataclasses import replace

from service.contexts.records import LoadedContext
from service.contexts.requests import ContextSpec
from service.contexts.state import ContextState, FeatureScale, check_size, new_state, scale_of
from service.contexts.tables import parsed, written
from service.errors import InvalidInput, Problem
from service.inference.predictor import Predictor
from service.inference.runtime import Runtime
from service.tables.predicting import model_for


def empty_context(
    predictor: Predictor, spec: ContextSpec, like: LoadedContext | None = None
) -> tuple[Runtime, ContextState]:
    """Find the model of a new context, and make its state.

    Args:
        predictor: Has the models and the limits.
        spec: What the context is created with.
        like: The context that `spec.like` names.

    Raises:
        UnknownModel, UnsupportedByModel, InvalidInput: As `ContextService.create`.
    """
    schema = None if spec.schema is None else written(spec.schema)
    if schema is None and like is not None:
        schema = like.record.table_schema
    if schema is None:
        runtime = predictor.runtime(spec.model, spec.version)
    else:
        runtime = model_for(predictor, parsed(schema), spec.model, spec.version)
    state = new_state(runtime.manifest, spec.decay, _scale(spec.scale, like), spec.columns)
    state = replace(state, table_schema=schema)
    check_size(state, predictor.limits)
    return runtime, state


def _scale(scale: FeatureScale | None, like: LoadedContext | None) -> FeatureScale | None:
    """Take the scale that was given, or another context's."""
    if like is None:
        return scale
    if scale is not None:
        raise InvalidInput(Problem("like", "cannot be given with scale. Send one of the two."))
    found = scale_of(like.state.tensors)
    if found is None and like.record.table_schema is None:
        text = "has no fixed scale: its model makes no features, or it has seen no more than 32 observations."
        raise InvalidInput(Problem("like", text))
    return found
