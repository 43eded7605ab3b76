"""Requests to create or to observe, with the fields by which one that is sent again is recognised."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from service.column_names import NO_NAMES, ColumnNames
from service.contexts.labels import Labels, read_labels, read_name
from service.contexts.records import UNCONDITIONAL, Change, ContextRecord, LoadedContext, StreamStep
from service.contexts.tables import TableRows, parsed, written
from service.errors import InvalidInput, Problem
from service.inference.distribution import NOTHING, Wanted
from service.inference.predictor import Observations, Predictor
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.states.context_state import ContextState, FeatureScale, check_size, new_state, scale_of
from service.states.forgetting import Decay
from service.tables.predicting import model_for
from service.tables.schema import TableSchema


@dataclass(frozen=True)
class ContextSpec:
    """What a context is created with, but for its first observations."""

    model: str | None = None
    """Its name; the default model if None, or `classifier` for rows of classes."""
    version: str | None = None
    """Of the model; the highest one if None."""
    decay: Decay = None
    """Factor on the weight of every observation after one more; auto averages several."""
    ttl: int | None = None
    """Seconds that it is kept after its last use; the setting if None."""
    scale: FeatureScale | None = None
    """Of its features, for models that make some."""
    like: str | None = None
    """Id of the context whose scale it is to have, and whose schema if it has one."""
    columns: ColumnNames = NO_NAMES
    """Names of its columns, in the order of the first observations, unless these have names too."""
    schema: TableSchema | None = None
    """Of rows of tables."""
    name: str | None = None
    """The caller's own, unique among the owner's."""
    labels: Labels | None = None
    """The caller's own, to find contexts by them."""
    shards: int = 0
    """Rows into which observations are learnt at the same time, where their order does not matter."""

    def fields(self, first: Observations | TableRows | None) -> dict[str, Any]:
        """Return everything that distinguishes it from other requests of its owner; the order is part of their hash.

        Raises:
            InvalidInput: The name, a label or the schema is not allowed.
        """
        fields: dict[str, Any] = {"create": self.model, "version": self.version, "decay": self.decay, "ttl": self.ttl}
        fields |= fields_of(first)
        if self.scale is not None or self.like is not None:
            fields |= {"scale": self.scale, "like": self.like}
        if self.columns != NO_NAMES:
            fields["columns"] = self.columns
        if self.name is not None:
            fields["name"] = read_name(self.name, "name")
        if self.labels:
            fields["labels"] = sorted(read_labels(self.labels, "labels").items())
        if self.shards:
            fields["shards"] = self.shards
        if self.schema is not None:
            fields["schema"] = written(self.schema)
        return fields


ANY_CONTEXT = ContextSpec()
"""A context of the default model."""


def empty_context(
    predictor: Predictor, spec: ContextSpec, like: LoadedContext | None = None
) -> tuple[Runtime, ContextState]:
    """Find the model of a new context, and make its state before the first observation.

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


@dataclass(frozen=True)
class ObserveRequest:
    """Observations for one context."""

    owner: str
    context_id: str
    new: Observations | TableRows
    change: Change = UNCONDITIONAL
    allow_precision_loss: bool = False

    def fields(self) -> Mapping[str, object]:
        """Return everything that distinguishes it from other requests of its owner."""
        return {
            "observe": self.context_id,
            **fields_of(self.new),
            **allowed(self.allow_precision_loss),
            "if_version": self.change.if_version,
        }

    def restored(self, answer: Any) -> Any:  # noqa: ANN401  (any JSON, or a record)
        """Return the stored answer: the fields of a record in JSON, or the record itself of the same transaction."""
        return answer if isinstance(answer, ContextRecord) else ContextRecord.from_json(answer)


@dataclass(frozen=True, kw_only=True)
class StepRequest(ObserveRequest):
    """One observation or row of a stream, for which the context predicts before it learns it."""

    write: Callable[[StreamStep], Any]
    """Makes the answer, which JSON can hold if there is a key."""
    query: Array | None = None
    """(1, D), where to predict; the x of the observation if None."""
    wanted: Wanted = NOTHING

    def fields(self) -> Mapping[str, object]:
        """Return everything that distinguishes it from other requests of its owner."""
        return {
            "step": self.context_id,
            **fields_of(self.new),
            "query": self.query,
            "wanted": self.wanted,
            **allowed(self.allow_precision_loss),
        }

    def restored(self, answer: Any) -> Any:  # noqa: ANN401  (any JSON, or a record)
        """Return the stored answer, which `write` has made."""
        return answer


def fields_of(observations: Observations | TableRows | None) -> dict[str, Any]:
    """Return the fields of observations; of rows of a table their hash."""
    if observations is None:
        return {}
    if isinstance(observations, TableRows):
        return {"table": observations.digest, "weight": observations.weight}
    names = {} if observations.columns is None else {"columns": observations.columns}
    levels = {"levels": observations.levels} if observations.levels else {}
    return {"x": observations.x, "y": observations.y, "weight": observations.weight, **names, **levels}


def allowed(allow_precision_loss: bool) -> dict[str, Any]:
    """Return the field for allowed precision loss; requests without it are as they were before there was one."""
    return {"allow_precision_loss": True} if allow_precision_loss else {}
