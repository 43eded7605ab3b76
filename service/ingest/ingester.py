"""Reads streams and lets contexts learn, with the offset in the transaction of the observations.

An entry is learnt exactly once: the transaction begins with the offset, which it locks and compares with the position
after which the entries were read. If the ingester, the log or the database ends in between, nothing of the batch was
written; if another process was faster, the offset has moved and the batch is not used.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from threading import Event

from sqlalchemy.exc import IntegrityError

from service.contexts.tables import parsed, written
from service.errors import DatabaseUnavailable, InvalidInput, NameTaken, Problem, SourceUnavailable, UnknownContext
from service.ingest.bad_entries import BadEntries, in_order
from service.ingest.columns import EntryColumns
from service.ingest.destination import Destination
from service.ingest.encoding import BadEntry, encode
from service.ingest.offsets import Offset, OffsetStore
from service.ingest.source import LogEntry, LogSource
from service.store.database import Database

BATCH = 5000
"""Entries in one transaction, at most; the cost of a context counts once for all its entries in it."""
FIRST_BATCH = 500
"""Entries of the first transaction, whose time is not known yet."""
TRANSACTION_SECONDS = 1.0
"""A transaction that takes longer is followed by one of half as many entries: other writers wait for it."""
POLL_INTERVAL = 0.1
"""Seconds between two reads of streams that had no further entries."""
RETRY_INTERVAL = 1.0
"""Seconds before the next attempt, where the log or the database does not answer."""
LATER = (DatabaseUnavailable, SourceUnavailable, NameTaken, UnknownContext)
"""Errors after which a batch is read again: the last two where another process has just made or deleted a context."""

logger = logging.getLogger(__name__)


@dataclass
class Progress:
    """Counts of one run."""

    entries: int = 0
    """Entries of committed batches."""
    refused: int = 0
    """Those of them from which nothing was learnt."""
    positions: dict[str, str | None] = field(default_factory=dict)
    """Of the last entry that was read, by stream."""
    started: float = field(default_factory=time.monotonic)

    @property
    def learnt(self) -> int:
        """Entries that contexts have learnt."""
        return self.entries - self.refused

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started


class Ingester:
    """Reads streams into contexts.

    Args:
        database: Has contexts and offsets.
        sources: The streams, of different names.
        offsets: Of one consumer.
        columns: The use of the fields of entries.
        destination: The contexts.
        bad: Gets the entries from which nothing is learnt.
        batch: Entries that are learnt in one transaction, at most.
        from_start: Whether a stream that was never read is read from its beginning, rather than from its end.

    Raises:
        InvalidInput: Two streams have one name.
    """

    def __init__(
        self,
        database: Database,
        sources: Sequence[LogSource],
        offsets: OffsetStore,
        columns: EntryColumns,
        destination: Destination,
        *,
        bad: BadEntries | None = None,
        batch: int = BATCH,
        from_start: bool = False,
    ) -> None:
        names = [source.name for source in sources]
        if len({*names}) < len(names):
            raise InvalidInput(Problem("--stream", "names one stream twice. Name each once."))
        self._database = database
        self._sources = sources
        self._offsets = offsets
        self._columns = columns
        self._destination = destination
        self._bad = bad or BadEntries()
        self._batch = batch
        self._size = min(batch, FIRST_BATCH)
        self._from_start = from_start
        self._known: dict[str, Offset] = {}
        self.progress = Progress()

    def run(
        self, stop: Event, *, stop_at_end: bool = False, report: Callable[[Progress], None] = lambda _: None
    ) -> Progress:
        """Read until stopped; while the log or the database does not answer, try again.

        Args:
            stop: Ends the run after the present batch.
            stop_at_end: Whether to end where no stream has further entries.
            report: Called after each round of the streams.

        Raises:
            InvalidInput: A stream cannot be read, or a column is not as declared.
            ServiceError: Contexts cannot learn: too many, or of a model that is not served.
        """
        failing = False
        while not stop.is_set():
            try:
                found = [self.step(source) for source in self._sources]
                failing = False
            except LATER as error:
                self._known.clear()
                self._size = max(1, self._size // 2)  # the database may have given up a long transaction
                if not failing:
                    logger.warning("%s Trying again every %g s.", error, RETRY_INTERVAL)
                failing = True
                stop.wait(RETRY_INTERVAL)
                continue
            report(self.progress)
            if not any(found):
                if stop_at_end:
                    break
                stop.wait(POLL_INTERVAL)
        return self.progress

    def step(self, source: LogSource) -> bool:
        """Learn the next batch of a stream; returns whether there may be more.

        Raises:
            DatabaseUnavailable, SourceUnavailable: Nothing was learnt, or the offset shows how far.
        """
        before = self._known.get(source.name) or self._begin(source)
        entries = source.read(before.position, self._size)
        if not entries:
            return False
        with self._database.transaction() as connection:
            offset = self._offsets.lock(connection, source.name) or Offset()
            start = time.monotonic()
            if offset.position != before.position:
                self._known[source.name] = offset  # another process has read them
                return True
            known = offset.table_schema
            schema = self._columns.schema(entries) if known is None else parsed(known)
            rows, bad = encode(entries, schema, self._columns.by, self._columns.weight)
            if rows is not None and schema is not None:
                bad += self._destination.learn(connection, schema, rows)
            bad = in_order(entries, bad)
            after = self._after(offset, entries, bad)
            if schema is not None:
                after = replace(after, table_schema=written(schema))
            self._offsets.move(connection, source.name, after)
            self._bad.write(source.name, bad)
        self._resize(len(entries), time.monotonic() - start)
        self._note(source.name, entries, bad, after)
        return True

    def _resize(self, entries: int, seconds: float) -> None:
        """Choose the size of the next batch by the time of the last one."""
        if seconds > TRANSACTION_SECONDS:
            self._size = max(1, entries // 2)
        elif entries == self._size and seconds < TRANSACTION_SECONDS / 2:
            self._size = min(2 * self._size, self._batch)

    def _begin(self, source: LogSource) -> Offset:
        """Read the offset of a stream, or store where it begins."""
        with self._database.reading() as connection:
            offset = self._offsets.find(connection, source.name)
        if offset is None:
            offset = Offset(None if self._from_start else source.end())
            try:
                with self._database.transaction() as connection:
                    self._offsets.begin(connection, source.name, offset.position)
            except IntegrityError:  # another process did
                return self._begin(source)
        elif offset.table_schema is not None:
            self._columns.check(parsed(offset.table_schema))
        self._known[source.name] = offset
        return offset

    @staticmethod
    def _after(offset: Offset, entries: Sequence[LogEntry], bad: Sequence[BadEntry]) -> Offset:
        refused = offset.refused + len(bad)
        return replace(offset, position=entries[-1].position, entries=offset.entries + len(entries), refused=refused)

    def _note(self, stream: str, entries: Sequence[LogEntry], bad: Sequence[BadEntry], after: Offset) -> None:
        self._known[stream] = after
        self._bad.log(stream, bad)
        self.progress.entries += len(entries)
        self.progress.refused += len(bad)
        self.progress.positions[stream] = after.position
