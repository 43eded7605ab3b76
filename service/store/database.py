"""A connection that creates and migrates its schema by itself."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Self, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, Select, StaticPool, delete, event, false, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import ConnectionPoolEntry

from service.errors import DatabaseUnavailable, InvalidSettings
from service.store import postgresql, sqlite
from service.store.migrate import VERSION, migrate
from service.store.nonblocking import NonblockingReader
from service.store.notices import Hear, Notices
from service.store.refusals import READ_ONLY, refusal
from service.store.sqlite import DatabaseFile, file_of, make_private

Item = TypeVar("Item")

logger = logging.getLogger(__name__)

CONNECTIONS = 10
"""To PostgreSQL in one process, unless a setting says otherwise."""
REMEDIES = (
    "Start it, or correct the address.",
    "Correct the address, or check that its folder exists, is writable and has free space.",
)
"""For a server and for a file that cannot be opened."""
VALUES_LIMIT = 500
"""Values in one statement."""
UNAVAILABLE_ERRORS = (OperationalError, InterfaceError, InternalError, NoConnection)
"""Exceptions of SQLAlchemy after which a database does not answer; DatabaseError itself is a file that is damaged."""
NOTHING_CHANGED = "The database does not answer. Nothing was changed; try again."
BUSY = "All connections of this process to the database (GDSSM_DATABASE_CONNECTIONS) are in use. Try again in a moment."
CHANGE_UNKNOWN = (
    "The database stopped answering while the change was being written; it may have been made. "
    "Send it again: with an Idempotency-Key it counts once."
)


class Database:
    """One database; safe to use from several threads and several processes."""

    is_new = False
    """Whether there was nothing in it when it was opened."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._nonblocking: NonblockingReader | None = None
        self._file: DatabaseFile | None = None
        # One file has one writer at a time. Within a process a lock is a fairer queue than SQLite's, which is polling.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else None
        self._writing: AbstractContextManager[Any] = self._turn or nullcontext()
        self._looking = self._writing if isinstance(engine.pool, StaticPool) else nullcontext()
        self._changed: WeakKeyDictionary[Connection, set[str]] = WeakKeyDictionary()
        """Contexts that a transaction changes."""
        self._hearers: list[Hear] = []
        self._notices: Notices | None = None

    @classmethod
    def open(cls, url: str, connections: int = CONNECTIONS) -> Self:
        """Connect, and bring the schema up to date; of several processes that start at once, one does.

        Args:
            url: As in GDSSM_DATABASE_URL.
            connections: To PostgreSQL at the same time.

        Raises:
            InvalidSettings: It is not the address of a database that is known here, or that of a later version, or it
                refuses its options.
            DatabaseUnavailable: It does not answer.
        """
        address = address_of(url)
        make_private(address)
        with ExitStack() as undo, opening():
            database = cls(_engine(address, connections))
            undo.callback(database.close)
            with database._writing, database._engine.begin() as connection:
                database.is_new = migrate(connection)
            with database.reading() as connection:
                database._watch(DatabaseFile.of(connection))
            database._nonblocking = NonblockingReader.of(database._engine)
            undo.pop_all()
        return database

    def check_writable(self) -> None:
        """Check that a SQLite file may be written; a PostgreSQL server may become the primary one later.

        SQLite begins a transaction to write in a read-only file too, and refuses its first change.

        Raises:
            InvalidSettings: It is read-only.
            DatabaseUnavailable: It does not answer.
        """
        if self._turn is None:
            return
        with opening():
            try:
                with self._writing, self._engine.begin() as connection:
                    connection.execute(delete(VERSION).where(false()))
            except OperationalError as error:
                if refusal(error) != READ_ONLY:
                    raise
                raise InvalidSettings(
                    "The database of GDSSM_DATABASE_URL is read-only. Make it writable, or name another database."
                ) from error

    @property
    def shown(self) -> str:
        """Its address for people: without password and options, a file by its whole path."""
        return shown_address(self._engine.url)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Everything inside happens at once or not at all; on SQLite it holds the one right to write from its start.

        Raises:
            DatabaseUnavailable: It does not answer; the message says whether something may have changed.
        """
        with self._writing, _answering(NOTHING_CHANGED):
            self.check_file()
            with self._engine.connect() as connection, connection.begin() as changes:
                yield connection
                try:
                    with _answering(CHANGE_UNKNOWN):
                        changes.commit()
                finally:
                    self._announce(self._changed.pop(connection, ()))
            self.check_file()  # a change that went into a deleted file is not acknowledged

    def note_change(self, connection: Connection, context_id: str) -> None:
        """Announce a change of a context once the transaction of the connection has ended."""
        self._changed.setdefault(connection, set()).add(context_id)

    def subscribe(self, hear: Hear) -> None:
        """Call a function with every announced change of this process, and of others after `exchange_notices`."""
        self._hearers.append(hear)

    def exchange_notices(self) -> None:
        """Announce changes to the other processes of a PostgreSQL database, and hear of theirs, until it is closed."""
        if self._engine.dialect.name == "postgresql" and self._notices is None:
            self._notices = Notices(self._engine, self._hear)

    def _announce(self, changed: Collection[str]) -> None:
        if changed:
            self._hear(changed)
            if self._notices is not None:
                self._notices.send(changed)

    def _hear(self, changed: Collection[str] | None) -> None:
        for hear in self._hearers:
            hear(changed)

    def write_at_once(self, write: Callable[[Connection], None]) -> bool:
        """Make a change unless that waits for another writer of a SQLite file; returns whether it was made.

        Raises:
            DatabaseUnavailable: As for `transaction`, of PostgreSQL; or the file is gone.
        """
        self.check_file()
        if self._turn is None:
            with self.transaction() as connection:
                write(connection)
            return True
        if not self._turn.acquire(blocking=False):
            return False
        try:
            with self._engine.connect() as connection, connection.execution_options(at_once=True).begin():
                write(connection)
        except OperationalError:
            return False
        finally:
            self._turn.release()
        return True

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Look only: this waits for no writer and holds none up.

        Raises:
            DatabaseUnavailable: It does not answer.
        """
        with self._looking, _answering(NOTHING_CHANGED):
            self.check_file()
            with self._engine.connect() as connection:
                yield connection.execution_options(reading=True)
                connection.commit()  # after a rollback psycopg forgets the statements that it has prepared

    def read_nonblocking(self, statement: Select[Any], parameters: Mapping[str, object]) -> Any:  # noqa: ANN401  (any value)
        """Read one value without waiting, as the event loop must; None if there is none, or if that takes a while."""
        if self._nonblocking is None:
            return None
        with suppress(DatabaseUnavailable):
            self.check_file()
            return self._nonblocking.scalar(statement, parameters)
        return None

    def check_file(self) -> None:
        """See that the file of a SQLite database is still the one that was opened.

        Raises:
            DatabaseUnavailable: It was deleted or replaced.
        """
        if self._file is not None:
            self._file.check()

    def _watch(self, file: DatabaseFile | None) -> None:
        """Refuse to work without this file; a further connection would open another one of its name, or make it."""
        self._file = file

        def check(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
            try:
                if file is not None:
                    file.check()
            except DatabaseUnavailable:
                connection.close()
                raise

        event.listen(self._engine, "connect", check)

    def close(self) -> None:
        """Give every connection back."""
        if self._notices is not None:
            self._notices.close()
            self._notices = None
        if self._nonblocking is not None:
            self._nonblocking.close()
        self._engine.dispose()


@contextmanager
def opening() -> Iterator[None]:
    """Report why a database cannot be opened.

    Raises:
        DatabaseUnavailable: It does not answer.
        InvalidSettings: It cannot be used.
    """
    try:
        yield
    except UNAVAILABLE_ERRORS as error:
        is_file = isinstance(getattr(error, "orig", None), sqlite3.Error)
        raise DatabaseUnavailable(
            f"The database of GDSSM_DATABASE_URL does not answer ({_reason(error)}). {REMEDIES[is_file]}"
        ) from error
    except (SQLAlchemyError, TypeError, ValueError) as error:  # the latter of options that no driver knows
        raise InvalidSettings(
            f"The database of GDSSM_DATABASE_URL cannot be used ({_reason(error)}). Correct the address, or name "
            "another database."
        ) from error


@contextmanager
def _answering(otherwise: str) -> Iterator[None]:
    """Say in the service's words that the database does not answer or refuses; its own go to the log."""
    try:
        yield
    except (*UNAVAILABLE_ERRORS, DatabaseError) as error:
        refused = refusal(error)
        if refused is not None:
            logger.warning("the database refuses: %s", _reason(error))
            raise DatabaseUnavailable(refused) from error
        if not isinstance(error, UNAVAILABLE_ERRORS) and type(error) is not DatabaseError:
            raise  # a refused statement, such as a second row of one key
        logger.warning("the database does not answer: %s", _reason(error))
        raise DatabaseUnavailable(BUSY if isinstance(error, NoConnection) else otherwise) from error


def _reason(error: BaseException | None) -> str:
    """Put a driver's error on one line, without the statement and its parameters."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Cut the values of a statement into parts of at most VALUES_LIMIT."""
    return (items[start : start + VALUES_LIMIT] for start in range(0, len(items), VALUES_LIMIT))


def address_of(url: str) -> URL:
    """Parse a value of GDSSM_DATABASE_URL, and choose its driver.

    Raises:
        InvalidSettings: It names no database of a known kind.
    """
    try:
        address = make_url(url)
        backend = address.get_backend_name() if "%00" not in url else "unreadable"  # it would end the address early
    except (ArgumentError, ValueError):
        backend = "unreadable"
    if backend not in {"sqlite", "postgresql"}:
        raise InvalidSettings(
            "GDSSM_DATABASE_URL must be sqlite:///a/file.db or postgresql://user:password@host/name; "
            f"this one is {backend}."
        )
    return address.set(drivername={"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}[backend])


def shown_address(address: URL) -> str:
    """Write an address for people: without password and options, a file by its whole path."""
    if file_of(address) is not None:
        address = address.set(database=str(Path(address.database or "").absolute()))
    name = address.get_backend_name()
    return address.set(drivername=name, query={}).render_as_string(hide_password=True)


def _engine(address: URL, connections: int) -> Engine:
    is_file = address.get_backend_name() == "sqlite"
    return sqlite.engine_of(address) if is_file else postgresql.engine_of(address, connections)
