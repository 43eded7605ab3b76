"""Notices of changed contexts between the processes of one PostgreSQL database, by LISTEN and NOTIFY.

They are sent some milliseconds after the transaction: a NOTIFY within it would hold, while the change is flushed to the
disk, a lock that all such transactions of the database share. So a notice may be lost with its process, and code that
uses a state without looking at its row bounds its age as well.
"""

import logging
import os
import select
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Engine

logger = logging.getLogger(__name__)

Hear = Callable[[Collection[str] | None], None]
"""Called with the ids of contexts that have changed; with None if any may have."""

CHANNEL = "gdssm_contexts"
IDS_LIMIT = 200
"""Ids of 32 characters in one notice: PostgreSQL takes 8,000 bytes."""
GATHER_SECONDS = 0.05
"""For which changes are gathered before they are sent: at most 20 notices a second."""
RECONNECT_SECONDS = 1.0
"""Between two attempts to connect."""
SEPARATOR = " "
OPTIONS = {"autocommit": True, "connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5}
"""Of the connection; a server that the network lost counts as gone."""


class Notices:
    """A thread with a separate connection, which sends and hears; it connects again when the connection is lost.

    Args:
        engine: Of the database.
        hear: Called in the thread.
    """

    def __init__(self, engine: Engine, hear: Hear) -> None:
        self._engine = engine
        self._hear = hear
        self._changed: set[str] = set()
        self._lock = threading.Lock()
        self._wakes, self._wake = os.pipe()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
        self.listening = threading.Event()
        """Whether changes of other processes are heard."""
        self._thread.start()

    def send(self, ids: Collection[str]) -> None:
        """Send notices of changes soon; while there is no connection, they are not sent."""
        if not self.listening.is_set():
            return
        with self._lock:
            is_first = not self._changed
            self._changed.update(ids)
        if is_first and self._changed:
            os.write(self._wake, b"\0")

    def close(self) -> None:
        """End the thread."""
        self._stopping.set()
        os.write(self._wake, b"\0")
        self._thread.join()
        os.close(self._wake)
        os.close(self._wakes)

    def _run(self) -> None:
        is_reported = False
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    if not _keeps_session(connection):
                        logger.info("a pooler is in front of the database: no notices of changed contexts")
                        return
                    is_reported = False
                    self._serve(connection)
            except self._errors() as error:
                if not is_reported:
                    logger.warning("no notices of changed contexts: %s", " ".join(str(error).split()))
                is_reported = True
            finally:
                self.listening.clear()
            self._stopping.wait(RECONNECT_SECONDS)

    def _serve(self, connection: Any) -> None:  # noqa: ANN401  (psycopg's, which is an extra)
        """Hear and send until the service ends or the connection is lost."""
        connection.execute(f"LISTEN {CHANNEL}")
        self._hear(None)
        self.listening.set()
        while not self._stopping.is_set():
            ready, _, _ = select.select([connection.fileno(), self._wakes], [], [])
            if self._wakes in ready:
                os.read(self._wakes, 2**12)
                self._stopping.wait(GATHER_SECONDS)
                for ids in self._take():
                    connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, SEPARATOR.join(ids)))
            for notice in connection.notifies(timeout=0):
                if notice.pid != connection.info.backend_pid:
                    self._hear(notice.payload.split(SEPARATOR))

    def _take(self) -> Iterator[Sequence[str]]:
        with self._lock:
            ids, self._changed = list(self._changed), set()
        return (ids[start : start + IDS_LIMIT] for start in range(0, len(ids), IDS_LIMIT))

    def _connect(self) -> Any:  # noqa: ANN401  (see `_serve`)
        arguments, options = self._engine.dialect.create_connect_args(self._engine.url)
        return self._engine.dialect.loaded_dbapi.connect(*arguments, **{**options, **OPTIONS})

    def _errors(self) -> tuple[type[Exception], ...]:
        return (self._engine.dialect.loaded_dbapi.Error, OSError)


def _keeps_session(connection: Any) -> bool:  # noqa: ANN401  (see `Notices`)
    """Return whether there is no pooler, which would hand the LISTEN to another client: it invents process ids."""
    (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    return bool(backend == connection.info.backend_pid)
