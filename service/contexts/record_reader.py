"""Records of contexts, read without their states: by id, by name, and in pages."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select, tuple_

from service.contexts.label_rows import labelled
from service.contexts.records import UNCONDITIONAL, Change, ContextRecord, record_of
from service.contexts.shards import check_whole, with_totals
from service.errors import UnknownContext
from service.store.database import Database, chunks
from service.store.tables import CONTEXTS

ID = re.compile(r"[0-9a-f]{32}")
C = CONTEXTS.c
WITHOUT_STATE = tuple(column for column in C if column is not C.state)
LISTED = tuple(column for column in WITHOUT_STATE if column not in {C.column_names, C.table_schema})
OWNED = (C.id == bindparam("this"), C.owner == bindparam("owner"), C.expires > bindparam("now"))
BRIEF = select(*WITHOUT_STATE).where(*OWNED)
BRIEF_LOCKED = BRIEF.with_for_update()


class RecordReader:
    """Reads records of contexts.

    Args:
        database: Has the rows.
        clock: Returns the seconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

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
