"""Connections to SQLite files with a write-ahead log, whose transactions may write from their start."""

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry

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
    """Make the pool of connections to a file, or to a database in memory."""
    in_memory = address.database in {None, "", ":memory:"}
    pool = {"poolclass": StaticPool} if in_memory else {"pool_timeout": LOCK_TIMEOUT}
    options = {"timeout": LOCK_TIMEOUT, "check_same_thread": False}
    engine = create_engine(address, connect_args=options, **pool)
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
