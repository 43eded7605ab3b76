"""Contexts as their owner sees them, and the rows that have them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Row

from service.column_names import NO_NAMES, ColumnNames, names_from
from service.contexts.labels import Labels, labels_as_json, labels_from, read_labels, read_name
from service.contexts.serialization import ROW_FIELDS
from service.errors import VersionMismatch
from service.explaining.terms import ImplicitWeights
from service.inference.predictor import Prediction
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.states.context_state import ContextState
from service.states.forgetting import AUTO, Decay
from service.tables.describing import Described
from service.tables.schema import TableSchema

CONTEXT_BYTES = 2**12
"""Approximate bytes of a loaded context without its tensors and names."""
NAME_BYTES = 80
"""Approximate bytes of the name of a column without its characters."""
TOUCH_SHARE = 0.05
"""A use moves the end of a context; its row has the new one when that is later by this share of the ttl."""


@dataclass(frozen=True)
class ContextRecord:
    """A context without its state."""

    id: str
    """Later contexts have greater ids."""
    model: str
    model_version: str
    decay: Decay
    """Factor on the weight of every observation after one more; None forgets nothing."""
    n_observations: int
    """Rows observed, whatever their weights."""
    inputs: int | None
    """D; None until the first observation, where the model does not fix it."""
    outputs: int | None
    """K; None until the first observation, where the model does not fix it."""
    version: int
    """One more with every change; the ETag."""
    ttl: int
    """Seconds that it is kept after its last use."""
    created: float
    """Seconds since 1970, as the next two."""
    updated: float
    expires: float
    memory_length: float | None = None
    """Effective number of observations that are remembered, where the decay is auto."""
    columns: ColumnNames = NO_NAMES
    """Names of the columns of x and y; a page leaves them out."""
    table_schema: str | None = None
    """See `ContextState`; a page leaves it out."""
    name: str | None = None
    """The caller's own; unique among the contexts of an owner."""
    labels: Labels = field(default_factory=dict, hash=False)
    """The caller's own, to find contexts by them."""
    shards: int = 0
    """Rows into which observations are learnt at the same time; 0 for a context of one row. See `shards`."""

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "ContextRecord":
        """Restore a record from its fields in JSON."""
        return cls(**{**fields, "columns": ColumnNames(**(fields.get("columns") or {}))})

    def must_touch(self, now: float) -> bool:
        """Whether a use at this time moves the end that the row has."""
        return now + self.ttl - self.expires > TOUCH_SHARE * self.ttl

    def end_after(self, now: float) -> float:
        """Return when the context ends after a change, moved by a share of its ttl or not at all.

        The indexes have `expires`: while it stays, PostgreSQL updates the row alone.
        """
        return now + self.ttl if self.must_touch(now) else self.expires


@dataclass(frozen=True)
class LoadedContext:
    """A context with its state and its model."""

    record: ContextRecord
    state: ContextState
    runtime: Runtime
    shard: ContextRecord | None = None
    """The row that a change is for, whose state this is, if the context has shards; the record is of all rows."""
    rest: ContextState | None = None
    """Then a state of all rows, which may be some changes old."""

    @property
    def size(self) -> int:
        """Approximate bytes in memory."""
        names = (*(self.state.columns.x or ()), *(self.state.columns.y or ()))
        texts = 2 * sum(NAME_BYTES + 4 * len(name) for name in names)  # in the record too
        texts += 2 * len(self.state.table_schema or "")
        return CONTEXT_BYTES + texts + sum(tensor.nbytes for tensor in (self.state.tensors or {}).values())


@dataclass(frozen=True)
class ContextDetails:
    """A context, with what its state shows."""

    record: ContextRecord
    weights: ImplicitWeights | None = None
    """The linear model that it amounts to; None while it is empty, and where its model has none."""
    digits_left: int | None = None
    """Significant digits of the variation of the column that has fewest; None where none varies or none can be lost."""
    described: tuple[Described, ...] = ()
    """What becomes of each column of its tables."""


@dataclass(frozen=True)
class RecordPage:
    """Some of a caller's contexts, oldest first."""

    contexts: tuple[ContextRecord, ...]
    after: str | None
    """Where the next page begins; None at the end."""


@dataclass(frozen=True)
class Change:
    """The conditions of a change."""

    idempotency_key: str | None = None
    """A change requested twice under one key is made once."""
    if_version: int | None = None
    """The change applies to this version of the context only."""

    def check_version(self, version: int) -> None:
        """Check the version that a context has.

        Raises:
            VersionMismatch: The change is for another one.
        """
        if self.if_version not in {None, version}:
            raise VersionMismatch(
                f"The context has version {version}; this change is for version {self.if_version}. Look at it again, "
                "and send the change with the version that it has then."
            )


UNCONDITIONAL = Change()


@dataclass(frozen=True)
class Amendment:
    """New values of fields of a context that observations do not change; None leaves a field."""

    name: str | None = None
    labels: Labels | None = None
    """The whole set."""
    ttl: int | None = None

    def checked(self) -> Self:
        """Check the name and the labels.

        Raises:
            InvalidInput: They are not allowed.
        """
        if self.name is not None:
            read_name(self.name, "name")
        if self.labels is not None:
            read_labels(self.labels, "labels")
        return self

    def of(self, record: ContextRecord) -> dict[str, Any]:
        """Return the fields of a context that it changes, with their new values."""
        return {name: value for name, value in vars(self).items() if value not in (None, getattr(record, name))}


@dataclass(frozen=True)
class StreamStep:
    """What a live stream answers to one message: predicted first, then learnt."""

    prediction: Prediction | None
    """At the query; None while the context is empty."""
    error: Array | None
    """(N,) or (N, K), y − the prediction at its x, before y was learnt; None while the context is empty,
    or without an observation."""
    record: ContextRecord
    schema: TableSchema | None = None
    """Of a row."""


def record_of(row: Row[Any]) -> ContextRecord:
    """Read a row; the column of the decay has minus the memory length where it is auto, and 1 + n with n shards."""
    others = {"memory_length", "columns", "table_schema", "labels", "shards"}
    names = ContextRecord.__dataclass_fields__.keys() - others
    fields = {name: getattr(row, name) for name in names}
    fields["columns"] = names_from(getattr(row, "column_names", None))
    fields["table_schema"] = getattr(row, "table_schema", None)
    fields["labels"] = labels_from(row.labels)
    if row.decay is not None and row.decay > 1:
        return ContextRecord(**fields | {"decay": None, "shards": round(row.decay) - 1})
    is_auto = row.decay is not None and row.decay <= 0
    return ContextRecord(**fields | {"decay": AUTO, "memory_length": -row.decay} if is_auto else fields)


def state_fields(state: ContextState) -> dict[str, Any]:
    """Return the fields of a record that a state has."""
    return {name: getattr(state, name) for name in (*ROW_FIELDS, "memory_length")}


def columns_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Write fields of a record as columns of the table."""
    written = dict(fields)
    if "labels" in written:
        written["labels"] = labels_as_json(written["labels"])
    if "columns" in written:
        written["column_names"] = written.pop("columns").as_json()
    length = written.pop("memory_length", None)
    shards = written.pop("shards", 0)
    if shards:
        written["decay"] = 1 + shards
    return written | ({} if length is None else {"decay": -length})
