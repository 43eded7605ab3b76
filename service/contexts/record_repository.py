"""Records of contexts in the database, without their states: read, added, renamed, touched and deleted."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, insert, literal, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from service.contexts.expiry import BATCH_LIMIT, delete_contexts, remove_expired, sweep
from service.contexts.label_rows import delete_labels, insert_labels, labelled
from service.contexts.quota import count_one_more
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
from service.contexts.shards import check_whole, insert_shards, with_totals
from service.contexts.state import ContextState
from service.errors import NameTaken, QuotaExceeded, UnknownContext
from service.inference.runtime import Runtime
from service.store.database import Database, chunks
from service.store.ids import new_id
from service.store.tables import CONTEXTS

ID = re.compile(r"[0-9a-f]{32}")
C = CONTEXTS.c
WITHOUT_STATE = tuple(column for column in C if column is not C.state)
LISTED = tuple(column for column in WITHOUT_STATE if column not in {C.column_names, C.table_schema})
OWNED = (C.id == bindparam("this"), C.owner == bindparam("owner"), C.expires > bindparam("now"))
BRIEF = select(*WITHOUT_STATE).where(*OWNED)
BRIEF_LOCKED = BRIEF.with_for_update()
UPDATE = update(CONTEXTS).where(C.id == bindparam("this"))
EXPIRE_LATER = (
    update(CONTEXTS).where(C.id == bindparam("this"), C.expires < bindparam("later")).values(expires=bindparam("later"))
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
                statement = labelled(connection, statement, owner, labels, after or "")
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
        delete_contexts(connection, [row])
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
