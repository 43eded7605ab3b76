"""Rows of contexts that are added, renamed, touched and deleted, with their labels and counts."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import itemgetter

from sqlalchemy import Connection, bindparam, delete, insert, literal, update
from sqlalchemy.exc import IntegrityError

from service.contexts.expiry import BATCH_LIMIT, remove_expired, sweep
from service.contexts.label_rows import delete_labels, insert_labels
from service.contexts.labels import labels_from
from service.contexts.quota import count_one_more, count_removed
from service.contexts.record_reader import BRIEF_LOCKED, C, RecordReader, check_row
from service.contexts.records import (
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
from service.contexts.shards import delete_shards, insert_shards, with_totals
from service.contexts.state import ContextState
from service.errors import NameTaken, QuotaExceeded
from service.inference.runtime import Runtime
from service.store.database import Database, chunks
from service.store.ids import new_id
from service.store.tables import CONTEXTS

UPDATE = update(CONTEXTS).where(C.id == bindparam("this"))
EXPIRE_LATER = (
    update(CONTEXTS).where(C.id == bindparam("this"), C.expires < bindparam("later")).values(expires=bindparam("later"))
)


class RecordWriter(RecordReader):
    """Reads and writes records of contexts.

    Args:
        database: Has the rows.
        max_contexts: Contexts that one owner may have.
        ttl: Seconds that a context is kept after its last use, unless it has its own.
        clock: Returns the seconds since 1970.
    """

    def __init__(self, database: Database, max_contexts: int, ttl: int, clock: Callable[[], float]) -> None:
        super().__init__(database, clock)
        self._max_contexts = max_contexts
        self._ttl = ttl

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
        insert_labels(connection, owner, record.id, record.labels)
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
        connection.execute(delete(CONTEXTS).where(C.id == context_id))
        if record_of(row).shards:
            delete_shards(connection, [context_id])
        delete_labels(connection, [(owner, context_id, labels_from(row.labels))])
        count_removed(connection, [(owner, context_id)])
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
            delete_labels(connection, [(owner, before.id, before.labels)])
            insert_labels(connection, owner, before.id, after.labels)
        return with_totals(connection, [after])[0]

    def touch(self, record: ContextRecord) -> ContextRecord:
        """Restart the ttl of a context after a read, unless that has to wait for another writer."""
        now = self._clock()
        if not record.must_touch(now):
            return record
        expires = now + record.ttl
        later = update(CONTEXTS).where(C.id == record.id, C.expires < expires).values(expires=expires)

        def update_row(connection: Connection) -> None:
            connection.execute(later)

        is_updated = self._database.write_at_once(update_row)
        return replace(record, expires=expires) if is_updated else record

    def touch_many(self, loaded: Collection[LoadedContext]) -> None:
        """Restart the ttl of contexts after a read, unless that has to wait for another writer."""
        now = self._clock()
        rows = [
            {"this": context.record.id, "later": now + context.record.ttl}
            for context in loaded
            if context.record.must_touch(now)
        ]
        if rows:
            self._database.write_at_once(lambda connection: _move_ends(connection, rows))

    def sweep(self, stopped: Callable[[], bool]) -> int:
        """Delete expired contexts and idempotency keys; returns the number of contexts."""
        return sweep(self._database, self._clock(), stopped)

    def _count_one_more(self, connection: Connection, owner: str, now: float) -> str:
        slot = count_one_more(connection, owner, self._max_contexts)
        # Added to the owner, an empty text keeps the index of owners from being read: that of `expires` has fewer rows.
        if slot is None and remove_expired(connection, now, BATCH_LIMIT, C.owner + literal("") == owner):
            slot = count_one_more(connection, owner, self._max_contexts)
        if slot is None:
            raise QuotaExceeded(
                f"One key may keep at most {self._max_contexts} contexts (GDSSM_MAX_CONTEXTS). Delete one, or give "
                "them a shorter ttl."
            )
        return slot

    def _free_name(self, connection: Connection, owner: str, name: str, now: float) -> None:
        """Take a name from an expired context."""
        remove_expired(connection, now, 1, C.owner == owner, C.name == name)
        if self.ids_of_names(connection, owner, (name,)):
            raise NameTaken(name)


def _move_ends(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    for some in chunks(sorted(rows, key=itemgetter("this"))):
        connection.execute(EXPIRE_LATER, some)


@contextmanager
def _unless_taken(name: str | None) -> Iterator[None]:
    """Write a row with a name, which another transaction may have taken meanwhile."""
    try:
        yield
    except IntegrityError:
        if name is None:
            raise
        raise NameTaken(name) from None
