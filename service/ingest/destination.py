"""The contexts that learn from rows: found by name, created where missing, and changed in the caller's transaction."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError
from sqlalchemy import Connection

from service.column_names import NO_NAMES, ColumnNames
from service.contexts.observing import observe_many
from service.contexts.records import ContextRecord
from service.contexts.requests import ContextSpec, ObserveRequest, empty_context
from service.contexts.service import ContextService
from service.contexts.tables import TableRows, written
from service.errors import InvalidInput, Problem
from service.inference.predictor import Observations, Predictor
from service.ingest.encoding import BadEntry, EncodedEntries
from service.lru_cache import LruCache
from service.tables.memory import table_of_records
from service.tables.schema import TableSchema

RECORD_BYTES = 1000
"""Approximate bytes of a record in the cache."""


@dataclass(frozen=True)
class _BatchOfRows:
    """Rows of one schema."""

    schema: TableSchema
    schema_text: str
    rows: EncodedEntries


@dataclass(frozen=True)
class _Group:
    """Rows of one context, in their order."""

    name: str
    rows: Sequence[int]


class Destination:
    """The contexts of one owner.

    Args:
        contexts: All contexts.
        predictor: Has the models.
        owner: Whose they are.
        new: What those that do not exist are created with.
        allow_precision_loss: As for `ContextService.observe`.
    """

    def __init__(
        self,
        contexts: ContextService,
        predictor: Predictor,
        owner: str,
        new: ContextSpec,
        *,
        allow_precision_loss: bool = False,
    ) -> None:
        self._contexts = contexts
        self._predictor = predictor
        self._owner = owner
        self._new = new
        self._allow_precision_loss = allow_precision_loss
        self._records = LruCache[str, ContextRecord]()

    def learn(self, connection: Connection, schema: TableSchema, rows: EncodedEntries) -> list[BadEntry]:
        """Let each row's context learn it; returns the entries that their contexts refuse.

        The rows of one context are learnt in their order, as one request; if that is refused, row by row.

        Raises:
            QuotaExceeded: The owner has too many contexts.
            NameTaken: Another process has created one of the contexts meanwhile.
            ServiceError: A context cannot learn anything, because its model is not served or is another file.
        """
        grouped: dict[str, list[int]] = {}
        for row, name in enumerate(rows.names):
            grouped.setdefault(name, []).append(row)
        batch = _BatchOfRows(schema, written(schema), rows)
        records = self._find_or_create(connection, schema, list(grouped))
        groups = [_Group(name, found) for name, found in grouped.items()]
        refused = self._observe(connection, batch, groups, records)
        bad = [one for one in refused if len(one[0].rows) == 1]
        again = [_Group(group.name, [row]) for group, _ in refused if len(group.rows) > 1 for row in group.rows]
        bad += self._observe(connection, batch, again, records)
        return [BadEntry(rows.entries[group.rows[0]], str(error)) for group, error in bad]

    def _observe(
        self,
        connection: Connection,
        batch: _BatchOfRows,
        groups: Sequence[_Group],
        records: Mapping[str, ContextRecord],
    ) -> list[tuple[_Group, InvalidInput]]:
        """Observe groups, and return those that are refused, of which nothing is learnt."""
        refused, requests, sent = list[tuple[_Group, InvalidInput]](), list[ObserveRequest](), list[_Group]()
        for group in groups:
            record = records[group.name]
            try:
                new = _observations(record, batch, group)
            except InvalidInput as error:
                refused.append((group, error))
                continue
            allow = self._allow_precision_loss
            requests.append(ObserveRequest(self._owner, record.id, new, allow_precision_loss=allow))
            sent.append(group)
        contexts = self._contexts
        results = observe_many(connection, contexts.repository, contexts.limits, requests, time.time())
        for group, result in zip(sent, results, strict=True):
            if isinstance(result, InvalidInput):
                refused.append((group, result))
            elif not isinstance(result, ContextRecord):
                raise result
        return refused

    def _find_or_create(
        self, connection: Connection, schema: TableSchema, names: Sequence[str]
    ) -> dict[str, ContextRecord]:
        """Return the record of each name; fields that change with observations may be older."""
        repository = self._contexts.repository
        ids = repository.ids_of_names(connection, self._owner, names)
        cached = {name: self._records.get(context_id) for name, context_id in ids.items()}
        unknown = [ids[name] for name, record in cached.items() if record is None]
        by_id = {record.id: record for record in repository.records(connection, self._owner, unknown)}
        found = {name: record or by_id[ids[name]] for name, record in cached.items()}
        missing = {*names} - {*ids}
        if missing:
            found |= self.create(connection, schema, missing)
        for record in found.values():
            self._records.put(record.id, record, RECORD_BYTES + 2 * len(record.table_schema or ""))
        return found

    def create(self, connection: Connection, schema: TableSchema, names: Collection[str]) -> dict[str, ContextRecord]:
        """Create empty contexts for rows of a table.

        Raises:
            NameTaken, QuotaExceeded, UnknownModel, InvalidInput: As for `ContextService.create`.
        """
        spec, add = replace(self._new, columns=_names(schema), schema=schema), self._contexts.repository.add
        runtime, state = empty_context(self._predictor, spec)
        # In one order, so that no two processes wait for each other.
        return {name: add(connection, self._owner, runtime, state, replace(spec, name=name)) for name in sorted(names)}


def _names(schema: TableSchema) -> ColumnNames:
    """Name the columns of arrays, so that arrays with names can be sent too; later levels would have no names."""
    if schema.levels or schema.classes:
        return NO_NAMES
    try:
        return ColumnNames(schema.x_columns, (schema.target.name,))
    except ValidationError:  # a name is too long
        return NO_NAMES


def _observations(record: ContextRecord, batch: _BatchOfRows, group: _Group) -> Observations | TableRows:
    """Make the observations of rows for a context: by its own schema, or by the names of its columns.

    Raises:
        InvalidInput: The context has observed arrays whose columns have no names, or rows have categories.
    """
    rows, schema = batch.rows, batch.schema
    if record.table_schema is not None:
        if record.table_schema == batch.schema_text and not schema.levels:
            return _arrays(rows, group.rows)
        table = table_of_records([rows.entries[row].fields for row in group.rows], group.name)
        return TableRows(table, digest="", weight=rows.weight_column)
    names = _names(schema)
    if names == NO_NAMES or (record.n_observations and not record.columns.x):
        text = "has observed arrays; their columns need names, and rows numbers only. Create it from rows of a table."
        raise InvalidInput(Problem(f"context {group.name!r}", text))
    return _arrays(rows, group.rows)._replace(columns=names)


def _arrays(rows: EncodedEntries, places: Sequence[int]) -> Observations:
    return Observations(rows.x[places], rows.y[places], None if rows.weight is None else rows.weight[places])
