"""A connection that creates and migrates its schema by itself."""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, Select, StaticPool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import ConnectionPoolEntry

from service.errors import DatabaseUnavailable, InvalidSettings
from service.store.glance import Glance
from service.store.migrate import migrate

logger = logging.getLogger(__name__)

PATIENCE = 10
"""Seconds to wait for a lock, for a free connection, and for the database to accept a new one."""
POLL_INTERVAL = 0.01
"""Seconds between two attempts where SQLite itself does not wait."""
LONGEST_STATEMENT = 30
"""Seconds after which PostgreSQL gives up a statement, or a transaction whose process says nothing more."""

UNDONE = "The database does not answer. Nothing was changed; try again."
UNKNOWN = (
    "The database stopped answering while the change was being written; it may have been made. "
    "Send it again: with an Idempotency-Key it counts once."
)


class Database:
    """One database; safe to use from several threads and several processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._glance: Glance | None = None
        # One file has one writer at a time. Within a process a lock is a fairer queue than SQLite's, which is polling.
        one_writer = engine.dialect.name == "sqlite"
        self._writing: AbstractContextManager[Any] = threading.Lock() if one_writer else nullcontext()
        self._looking = self._writing if isinstance(engine.pool, StaticPool) else nullcontext()

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect, and bring the schema up to date; of several processes that start at once, one does.

        Args:
            url: As in GDSSM_DATABASE_URL.

        Raises:
            InvalidSettings: It is not the address of a database that is known here, or that of a later version.
            DatabaseUnavailable: It does not answer.
        """
        database = cls(_engine(_address(url)))
        try:
            with database.transaction() as connection:
                migrate(connection)
            with _answering(UNDONE):
                database._glance = Glance.of(database._engine)
        except InvalidSettings:
            database.close()
            raise
        except DatabaseUnavailable as error:
            database.close()
            raise DatabaseUnavailable(
                f"The database of GDSSM_DATABASE_URL does not answer ({_reason(error.__cause__)}). "
                "Start it, or correct the address."
            ) from error
        return database

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Everything inside happens at once or not at all; on SQLite it holds the one right to write from its start.

        Raises:
            DatabaseUnavailable: It does not answer; the message says whether something may have changed.
        """
        with self._writing, _answering(UNDONE), self._engine.connect() as connection, connection.begin() as changes:
            yield connection
            with _answering(UNKNOWN):
                changes.commit()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Look only: this waits for no writer and holds none up.

        Raises:
            DatabaseUnavailable: It does not answer.
        """
        with self._looking, _answering(UNDONE), self._engine.connect() as connection:
            yield connection.execution_options(reading=True)

    def glance(self, statement: Select[Any], parameters: Mapping[str, object]) -> Any:  # noqa: ANN401  (any value)
        """Read one value without waiting, as the event loop must; None if there is none, or if that takes a while."""
        return None if self._glance is None else self._glance.scalar(statement, parameters)

    def close(self) -> None:
        """Give every connection back."""
        if self._glance is not None:
            self._glance.close()
        self._engine.dispose()


@contextmanager
def _answering(otherwise: str) -> Iterator[None]:
    """Say in the service's words that the database does not answer; its own go to the log."""
    try:
        yield
    except (OperationalError, InterfaceError, InternalError, NoConnection) as error:
        logger.warning("the database does not answer: %s", _reason(error))
        raise DatabaseUnavailable(otherwise) from error


def _reason(error: BaseException | None) -> str:
    """Put a driver's error on one line, without the statement and its parameters."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        backend = address.get_backend_name()
    except (ArgumentError, ValueError):
        backend = "unreadable"
    if backend not in {"sqlite", "postgresql"}:
        raise InvalidSettings(
            "GDSSM_DATABASE_URL must be sqlite:///a/file.db or postgresql://user:password@host/name; "
            f"this one is {backend}."
        )
    return address.set(drivername={"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}[backend])


def _engine(address: URL) -> Engine:
    return _sqlite(address) if address.get_backend_name() == "sqlite" else _postgresql(address)


def _sqlite(address: URL) -> Engine:
    in_memory = address.database in {None, "", ":memory:"}
    pool = {"poolclass": StaticPool} if in_memory else {"pool_timeout": PATIENCE}
    patient = {"timeout": PATIENCE, "check_same_thread": False}
    engine = create_engine(address, connect_args=patient, **pool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins no transaction by itself: `_begin_sqlite` does
    cursor = connection.cursor()
    _keep_ahead(cursor)
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=FULL")  # what is committed is on the disk, also when the power fails
    cursor.close()


def _keep_ahead(cursor: DBAPICursor) -> None:
    """Switch the file to a write-ahead log, which it keeps.

    A connection that switches holds a read lock and asks for the write lock. While another connection holds that,
    as one that switches the same new file, SQLite refuses at once and leaves the timeout aside, so this waits itself.
    """
    end = time.monotonic() + PATIENCE
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
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _postgresql(address: URL) -> Engine:
    limits = {
        "lock_timeout": PATIENCE,
        "statement_timeout": LONGEST_STATEMENT,
        "idle_in_transaction_session_timeout": LONGEST_STATEMENT,
    }
    options = [f"-c {name}={seconds}s" for name, seconds in limits.items()]
    given = address.query.get("options", "")
    try:
        return create_engine(
            address,
            connect_args={"connect_timeout": PATIENCE, "options": " ".join([*options, str(given)])},
            pool_pre_ping=True,
            pool_size=5,
            max_overflow=10,
            pool_timeout=PATIENCE,
        )
    except ImportError as error:
        raise InvalidSettings(
            "GDSSM_DATABASE_URL names a PostgreSQL database, which needs psycopg. "
            "Install it with: pip install 'gdssm[postgres]'"
        ) from error
