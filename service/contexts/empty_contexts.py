"""Contexts before their first observation: the model, and the known facts of the columns."""

from dataclasses import replace

from service.column_names import NO_NAMES, ColumnNames
from service.contexts.forgetting import Decay
from service.contexts.records import LoadedContext
from service.contexts.state import ContextState, FeatureScale, check_size, new_state, scale_of
from service.contexts.tables import parsed
from service.errors import InvalidInput, Problem
from service.inference.predictor import Predictor
from service.inference.runtime import Runtime
from service.tables.predicting import model_for


def empty_context(
    predictor: Predictor,
    model: str | None,
    version: str | None = None,
    *,
    decay: Decay = None,
    scale: FeatureScale | None = None,
    like: LoadedContext | None = None,
    columns: ColumnNames = NO_NAMES,
    table_schema: str | None = None,
) -> tuple[Runtime, ContextState]:
    """Find the model of a new context, and make its state; for the arguments see `ContextService.create`.

    Raises:
        UnknownModel, UnsupportedByModel, InvalidInput: As `ContextService.create`.
    """
    if table_schema is None and like is not None:
        table_schema = like.record.table_schema
    if table_schema is None:
        runtime = predictor.runtime(model, version)
    else:
        runtime = model_for(predictor, parsed(table_schema), model, version)
    state = new_state(runtime.manifest, decay, _scale(scale, like), columns)
    state = replace(state, table_schema=table_schema)
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
