"""Offsets: how far each stream is read, written in the transaction of the observations."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from service.store.tables import INGEST_OFFSETS

C = INGEST_OFFSETS.c


@dataclass(frozen=True)
class Offset:
    """How far a consumer has read a stream."""

    position: str | None = None
    """Of the last entry that was read; None for the beginning."""
    entries: int = 0
    """Entries that were read."""
    refused: int = 0
    """Those of them from which nothing was learnt."""
    table_schema: str | None = None
    """Of rows, as JSON; None until an entry was readable."""


class OffsetStore:
    """The offsets of one consumer.

    Args:
        owner: Whose contexts learn.
        consumer: Its name; consumers read a stream independently.
        clock: Returns the seconds since 1970.
    """

    def __init__(self, owner: str, consumer: str, clock: Callable[[], float]) -> None:
        self._owner, self._consumer, self._clock = owner, consumer, clock

    def find(self, connection: Connection, stream: str) -> Offset | None:
        """Read an offset; None of a stream that was never read."""
        return self._find(connection, stream, lock=False)

    def lock(self, connection: Connection, stream: str) -> Offset | None:
        """Read an offset, and keep other processes from reading or moving it until the end of the transaction."""
        return self._find(connection, stream, lock=True)

    def begin(self, connection: Connection, stream: str, position: str | None) -> None:
        """Store where a stream that was never read begins."""
        key = {"owner": self._owner, "consumer": self._consumer, "stream": stream}
        row = {"position": position, "entries": 0, "refused": 0, "updated": self._clock()}
        connection.execute(insert(INGEST_OFFSETS).values(**key, **row))

    def move(self, connection: Connection, stream: str, offset: Offset) -> None:
        """Store an offset that was locked."""
        where = (C.owner == self._owner, C.consumer == self._consumer, C.stream == stream)
        connection.execute(update(INGEST_OFFSETS).where(*where).values(**vars(offset), updated=self._clock()))

    def _find(self, connection: Connection, stream: str, *, lock: bool) -> Offset | None:
        columns = (C.position, C.entries, C.refused, C.table_schema)
        where = (C.owner == self._owner, C.consumer == self._consumer, C.stream == stream)
        statement = select(*columns).where(*where)
        row = connection.execute(statement.with_for_update() if lock else statement).first()
        return None if row is None else Offset(*row)
