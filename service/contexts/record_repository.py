"""Records of contexts in the database, without their states, and their labels: read, written, touched and deleted."""

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from service.contexts import idempotency
from service.contexts.labels import Labels, labels_from
from service.contexts.quota import count_one_more, count_removed
from service.contexts.records import (
    UNCONDITIONAL,
    Amendment,
    Change,
    ContextRecord,
    LoadedContext,
    columns_of,
    record_of,
    state_fields,
)
from service.contexts.requests import ContextSpec
from service.contexts.serialization import store
from service.contexts.shards import check_whole, delete_shards, insert_shards, with_totals
from service.errors import NameTaken, QuotaExceeded, UnknownContext
from service.inference.runtime import Runtime
from service.states.context_state import ContextState
from service.store.database import Database, chunks
from service.store.ids import new_id
from service.store.tables import CONTEXT_LABELS, CONTEXTS

FIRST_BATCH = 50
BATCH_LIMIT = 500
"""Rows of one batch."""
BATCH_SECONDS = 0.03
"""Seconds that a batch is to take; the next one is larger or smaller accordingly."""
PAUSE = 0.02
"""Seconds between batches at least, in which other writers get their turn."""
COUNTED = 1000
"""Contexts up to which those with a label are counted, to begin with the rarest label of a filter."""

ID = re.compile(r"[0-9a-f]{32}")
C, L = CONTEXTS.c, CONTEXT_LABELS.c
WITHOUT_STATE = tuple(column for column in C if column is not C.state)
LISTED = tuple(column for column in WITHOUT_STATE if column not in {C.column_names, C.table_schema})
OWNED = (C.id == bindparam("this"), C.owner == bindparam("owner"), C.expires > bindparam("now"))
BRIEF = select(*WITHOUT_STATE).where(*OWNED)
BRIEF_LOCKED = BRIEF.with_for_update()
UPDATE = update(CONTEXTS).where(C.id == bindparam("this"))
EXPIRE_LATER = (
    update(CONTEXTS).where(C.id == bindparam("this"), C.expires < bindparam("later")).values(expires=bindparam("later"))
)
DELETE_LABEL = delete(CONTEXT_LABELS).where(
    L.owner == bindparam("o"), L.label == bindparam("l"), L.context_id == bindparam("c")
)


class RecordRepository:
    """Reads and writes records of contexts.

    Args:
        database: Has the rows.
        max_contexts: Contexts that one owner may have.
        ttl: Seconds that a context is kept after its last use, unless it has its own.
        clock: Returns the seconds since 1970.
    """

    def __init__(self, database: Database, max_contexts: int, ttl: int, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._max_contexts = max_contexts
        self._ttl = ttl

    def record(self, owner: str, context_id: str) -> ContextRecord:
        """Read the record of a context.

        Raises:
            UnknownContext: The owner has no such context, or it has expired.
        """
        with self._database.reading() as connection:
            return with_totals(connection, [record_of(self._find(connection, owner, context_id, BRIEF))])[0]

    def records(self, connection: Connection, owner: str, context_ids: Collection[str]) -> list[ContextRecord]:
        """Read the records of contexts of an owner; those that there are not are left out."""
        found = list[ContextRecord]()
        for some in chunks(sorted(context_ids)):
            statement = select(*WITHOUT_STATE).where(C.owner == owner, C.id.in_(some))
            found += map(record_of, connection.execute(statement).all())
        return with_totals(connection, found)

    def record_for_update(
        self, connection: Connection, owner: str, context_id: str, change: Change = UNCONDITIONAL
    ) -> ContextRecord:
        """Read the record of a context, and lock its row; raises as `load_for_update`."""
        row = self._find(connection, owner, context_id, BRIEF_LOCKED)
        check_row(row, change)
        return record_of(row)

    def page(
        self, owner: str, limit: int, after: str | None, labels: Sequence[tuple[str, str]] = ()
    ) -> list[ContextRecord]:
        """Read records of an owner that have all labels, in the order of their ids, which is that of their creation."""
        statement = select(*LISTED).where(C.expires > self._clock()).limit(limit)
        with self._database.reading() as connection:
            if labels:
                statement = _labelled(connection, statement, owner, labels, after or "")
            else:
                # Compared together, so that only an index of both is in the order: with `owner = …` PostgreSQL may read
                # contexts of all owners by their ids, until it has found enough of this one.
                place = tuple_(C.owner, C.id)
                statement = statement.where(place > (owner, after or ""), C.owner <= owner).order_by(C.owner, C.id)
            rows = connection.execute(statement).all()
            return with_totals(connection, [record_of(row) for row in rows])

    def ids_of_names(self, connection: Connection, owner: str, names: Collection[str]) -> dict[str, str]:
        """Find contexts of an owner by their names; those that there are not are left out."""
        found: dict[str, str] = {}
        for some in chunks(sorted({*names})):
            named = select(C.name, C.id).where(C.owner == owner, C.name.in_(some), C.expires > self._clock())
            found |= dict(connection.execute(named).all())
        return found

    def find_named(self, owner: str, name: str) -> ContextRecord | None:
        """Read the record of the context of a name; None if there is none."""
        statement = select(*WITHOUT_STATE).where(C.owner == owner, C.name == name, C.expires > self._clock())
        with self._database.reading() as connection:
            row = connection.execute(statement).first()
            return None if row is None else with_totals(connection, [record_of(row)])[0]

    def insert(
        self, connection: Connection, owner: str, runtime: Runtime, state: ContextState, spec: ContextSpec
    ) -> ContextRecord:
        """Insert the row of a new context.

        Raises:
            QuotaExceeded: The owner has too many.
            NameTaken: The owner has one of that name.
        """
        now, ttl = self._clock(), spec.ttl or self._ttl
        if spec.name is not None:
            self._free_name(connection, owner, spec.name, now)
        record = ContextRecord(
            id=new_id(now, self._count_one_more(connection, owner, now)),
            model=runtime.manifest.name,
            model_version=runtime.manifest.version,
            version=1,
            ttl=ttl,
            created=now,
            updated=now,
            expires=now + ttl,
            name=spec.name,
            labels=dict(spec.labels or {}),
            shards=spec.shards,
            **state_fields(state),
        )
        with _unless_taken(record.name):
            connection.execute(insert(CONTEXTS).values(owner=owner, state=store(state), **columns_of(vars(record))))
        _insert_labels(connection, owner, record.id, record.labels)
        if record.shards:
            insert_shards(connection, record, state)
        return record

    def delete(self, connection: Connection, owner: str, context_id: str, change: Change) -> None:
        """Delete a context.

        Raises:
            UnknownContext: The owner has no such context, or it has expired.
            VersionMismatch: It has another version than the change requires.
        """
        row = self._find(connection, owner, context_id, BRIEF_LOCKED)
        check_row(row, change)
        _delete(connection, [row])
        self._database.note_change(connection, context_id)

    def amend(self, connection: Connection, owner: str, before: ContextRecord, amendment: Amendment) -> ContextRecord:
        """Store what an amendment changes of a context as its next version; the same version if it changes nothing.

        Raises:
            NameTaken: The owner has another context of that name.
        """
        now, new = self._clock(), amendment.of(before)
        if not new:
            return with_totals(connection, [before])[0]
        if "name" in new:
            self._free_name(connection, owner, new["name"], now)
        after = replace(before, version=before.version + 1, updated=now, **new)
        after = replace(after, expires=now + after.ttl)
        written = columns_of({name: getattr(after, name) for name in ("version", "updated", "expires", *new)})
        with _unless_taken(after.name):
            connection.execute(UPDATE, {"this": before.id, **written})
        self._database.note_change(connection, before.id)
        if "labels" in new:
            _delete_labels(connection, [(owner, before.id, before.labels)])
            _insert_labels(connection, owner, before.id, after.labels)
        return with_totals(connection, [after])[0]

    def touch(self, record: ContextRecord) -> ContextRecord:
        """Restart the ttl of a context after a read, unless that has to wait for another writer."""
        now = self._clock()
        is_updated = record.must_touch(now) and self._move_ends([record], now)
        return replace(record, expires=now + record.ttl) if is_updated else record

    def touch_many(self, loaded: Collection[LoadedContext]) -> None:
        """Restart the ttl of contexts after a read, unless that has to wait for another writer."""
        now = self._clock()
        records = [one.record for one in loaded if one.record.must_touch(now)]
        if records:
            self._move_ends(records, now)

    def _move_ends(self, records: Sequence[ContextRecord], now: float) -> bool:
        rows = [
            {"this": record.id, "later": now + record.ttl} for record in sorted(records, key=lambda record: record.id)
        ]

        def move(connection: Connection) -> None:
            for some in chunks(rows):
                connection.execute(EXPIRE_LATER, some)

        return self._database.write_at_once(move)

    def sweep(self, stopped: Callable[[], bool]) -> int:
        """Delete expired contexts and idempotency keys; returns the number of contexts.

        Args:
            stopped: Whether to leave the rest, asked between batches.
        """
        now = self._clock()
        self._in_batches(lambda connection, limit: idempotency.sweep(connection, now, limit), stopped)
        return self._in_batches(lambda connection, limit: _delete_expired(connection, now, limit), stopped)

    def _in_batches(self, remove: Callable[[Connection, int], int], stopped: Callable[[], bool]) -> int:
        limit, removed = FIRST_BATCH, 0
        while not stopped():
            with self._database.transaction() as connection:
                start = time.monotonic()
                found = remove(connection, limit)
            removed += found
            if found < limit:
                break
            seconds = time.monotonic() - start
            limit = min(max(int(limit * min(BATCH_SECONDS / seconds, 2)), 1), BATCH_LIMIT)
            time.sleep(max(seconds, PAUSE))
        return removed

    def _count_one_more(self, connection: Connection, owner: str, now: float) -> str:
        slot = count_one_more(connection, owner, self._max_contexts)
        # Added to the owner, an empty text keeps the index of owners from being read: that of `expires` has fewer rows.
        if slot is None and _delete_expired(connection, now, BATCH_LIMIT, C.owner + literal("") == owner):
            slot = count_one_more(connection, owner, self._max_contexts)
        if slot is None:
            raise QuotaExceeded(
                f"One key may keep at most {self._max_contexts} contexts (GDSSM_MAX_CONTEXTS). Delete one, or give "
                "them a shorter ttl."
            )
        return slot

    def _free_name(self, connection: Connection, owner: str, name: str, now: float) -> None:
        """Take a name from an expired context."""
        _delete_expired(connection, now, 1, C.owner == owner, C.name == name)
        if self.ids_of_names(connection, owner, (name,)):
            raise NameTaken(name)

    def _find(self, connection: Connection, owner: str, context_id: str, statement: Select[Any]) -> Row[Any]:
        row = None
        if ID.fullmatch(context_id):  # other text may not even be valid for a database
            row = connection.execute(statement, {"this": context_id, "owner": owner, "now": self._clock()}).first()
        if row is None:
            raise UnknownContext(context_id)
        return row


def check_row(row: Row[Any], change: Change) -> None:
    """Check the precondition of a change of a row that is a whole context.

    Raises:
        VersionMismatch: The context has another version.
        InvalidInput: It has shards.
    """
    check_whole(record_of(row), if_version=change.if_version)
    change.check_version(row.version)


def _delete(connection: Connection, rows: Sequence[Any]) -> None:
    """Delete contexts of which the rows have the owner, the id, the labels and the decay."""
    connection.execute(delete(CONTEXTS).where(C.id.in_([row.id for row in rows])))
    delete_shards(connection, [row.id for row in rows if row.decay is not None and row.decay > 1])
    _delete_labels(connection, ((row.owner, row.id, labels_from(row.labels)) for row in rows))
    count_removed(connection, ((row.owner, row.id) for row in rows))


def _delete_expired(connection: Connection, now: float, limit: int, *conditions: ColumnElement[bool]) -> int:
    """Delete expired contexts; returns how many.

    Args:
        connection: In a transaction.
        now: Seconds since 1970.
        limit: The largest number.
        *conditions: Of the contexts; without, those that expired first are deleted first.
    """
    expired = select(C.owner, C.id, C.labels, C.decay).where(C.expires <= now, *conditions).limit(limit)
    if not conditions:
        expired = expired.order_by(C.expires)
    # On PostgreSQL several replicas share the work.
    rows = connection.execute(expired.with_for_update(skip_locked=True)).all()
    if rows:
        _delete(connection, rows)
    return len(rows)


@contextmanager
def _unless_taken(name: str | None) -> Iterator[None]:
    """Write a row with a name, which another transaction may have taken meanwhile."""
    try:
        yield
    except IntegrityError:
        if name is None:
            raise
        raise NameTaken(name) from None


def _insert_labels(connection: Connection, owner: str, context_id: str, labels: Labels) -> None:
    """Insert the rows by which a context is found."""
    rows = [{"owner": owner, "label": text, "context_id": context_id} for text in _texts(labels)]
    if rows:
        connection.execute(insert(CONTEXT_LABELS), rows)


def _delete_labels(connection: Connection, contexts: Iterable[tuple[str, str, Labels]]) -> None:
    """Delete the rows by which contexts are found; of each its owner, id and labels."""
    rows = [{"o": owner, "l": text, "c": context_id} for owner, context_id, found in contexts for text in _texts(found)]
    if rows:
        connection.execute(DELETE_LABEL, rows)


def _labelled(
    connection: Connection, statement: Select[Any], owner: str, labels: Sequence[tuple[str, str]], after: str
) -> Select[Any]:
    """Restrict a statement on contexts to those of an owner with all labels and ids after one, in their order."""
    first, *others = sorted({f"{key}:{value}" for key, value in labels})
    if others:
        first, *others = sorted((first, *others), key=lambda text: _count_labelled(connection, owner, text))
    statement = statement.join(CONTEXT_LABELS, L.context_id == CONTEXTS.c.id).where(L.owner == owner, L.label == first)
    for text in others:
        also = CONTEXT_LABELS.alias()
        found = select(also.c.label).where(
            also.c.owner == owner, also.c.label == text, also.c.context_id == L.context_id
        )
        # A prepared plan of PostgreSQL does not know which label is rare; with an offset it cannot begin with another.
        statement = statement.where(exists(found.offset(0)))
    return statement.where(L.context_id > after).order_by(L.context_id)


def _count_labelled(connection: Connection, owner: str, label: str) -> int:
    some = select(literal(1)).where(L.owner == owner, L.label == label).limit(COUNTED).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0


def _texts(labels: Labels) -> list[str]:
    return [f"{key}:{value}" for key, value in labels.items()]
