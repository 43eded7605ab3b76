"""SQLite files: connections with a write-ahead log, and whether the file is still the one that was opened."""

import os
import sqlite3
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Self

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import SAWarning
from sqlalchemy.pool import ConnectionPoolEntry

from service.errors import DatabaseUnavailable

LOCK_TIMEOUT = 10
"""Seconds to wait for a lock, for a free connection, and for the database to accept a new one."""
POLL_INTERVAL = 0.01
"""Seconds between two attempts where SQLite itself does not wait."""


def file_of(address: URL) -> Path | None:
    """Find the file of a SQLite database; None for one in memory, elsewhere, or by a URI."""
    name = address.database
    if address.get_backend_name() != "sqlite" or name in {None, "", ":memory:"} or str(name).startswith("file:"):
        return None
    return Path(str(name))


def make_private(address: URL) -> None:
    """Make the file of a new SQLite database for its owner alone; SQLite gives its journal files the same mode."""
    file = file_of(address)
    if file is not None:
        with suppress(OSError):  # it is there, or SQLite reports the problem
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def engine_of(address: URL) -> Engine:
    """Make the pool of connections to a file, or to a database in memory.

    Raises:
        ValueError: The address has options that would be ignored.
    """
    in_memory = address.database in {None, "", ":memory:"}
    pool = {"poolclass": StaticPool} if in_memory else {"pool_timeout": LOCK_TIMEOUT}
    options = {"timeout": LOCK_TIMEOUT, "check_same_thread": False}
    with warnings.catch_warnings():
        warnings.simplefilter("error", SAWarning)
        try:
            engine = create_engine(address, connect_args=options, **pool)
        except SAWarning as error:
            raise ValueError("options of SQLite need the form sqlite:///file:/a/file.db?mode=rw&uri=true") from error
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins no transaction by itself: `_begin_sqlite` does
    cursor = connection.cursor()
    _keep_ahead(cursor)
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=FULL")  # a committed transaction survives a power failure
    cursor.close()


def _keep_ahead(cursor: DBAPICursor) -> None:
    """Switch the file to a write-ahead log, which it keeps.

    A connection that switches holds a read lock and asks for the write lock. While another connection holds that,
    as one that switches the same new file, SQLite refuses at once and leaves the timeout aside, so this waits itself.
    """
    end = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(POLL_INTERVAL)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("at_once"):
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    try:
        connection.exec_driver_sql("BEGIN" if options.get("reading") else "BEGIN IMMEDIATE")
    finally:
        if options.get("at_once"):
            connection.exec_driver_sql(f"PRAGMA busy_timeout={LOCK_TIMEOUT * 1000:.0f}")


SUFFIXES = ("-wal", "-shm")
"""Of the write-ahead log and of its index, which exist while a database is open."""
GONE = (
    "The file of the database was deleted or replaced while the service runs; it is neither read nor written any more. "
    "Move the file back, or start the service again."
)
Identity = tuple[int, int, bool] | None
"""Device, inode, and whether there is anything in it as there must be; None where there is no file."""


class DatabaseFile:
    """The files of an open SQLite database.

    A process goes on reading and writing an open file after it was deleted, or another one was moved to its name: all
    that is committed there is lost. While a file is open its inode is not given to another one.

    Args:
        path: Of the database, absolute and without links.
        given: Its path in the settings, from which further connections are opened.

    Raises:
        DatabaseUnavailable: It is gone already.
    """

    def __init__(self, path: str, given: str) -> None:
        self._paths = list(dict.fromkeys([path, given, *(path + suffix for suffix in SUFFIXES)]))
        self._opened = [_identity(path) for path in self._paths]
        if self._opened[0] is None:
            raise DatabaseUnavailable(GONE)

    @classmethod
    def of(cls, connection: Connection) -> Self | None:
        """Find the file behind a connection; None for PostgreSQL and for a database in memory."""
        if connection.dialect.name != "sqlite":
            return None
        path = connection.exec_driver_sql("PRAGMA database_list").all()[0].file  # the first is the database itself
        given = file_of(connection.engine.url)
        return cls(path, path if given is None else str(given.absolute())) if path else None

    def check(self) -> None:
        """See that the files are those that were opened.

        Raises:
            DatabaseUnavailable: They are not.
        """
        if any(_identity(path) != opened for path, opened in zip(self._paths, self._opened, strict=True)):
            raise DatabaseUnavailable(GONE)


def _identity(path: str) -> Identity:
    try:
        found = os.stat(path)  # noqa: PTH116  (called twice for every change: Path takes three times as long)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size > 0 or path.endswith(SUFFIXES)
