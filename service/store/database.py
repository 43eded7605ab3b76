"""A connection that creates and migrates its schema by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from service.errors import DatabaseUnavailable
from service.store.tables import METADATA


class Database:
    """One database; safe to use from several threads and several processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect, and bring the schema up to date.

        Args:
            url: As in GDSSM_DATABASE_URL.

        Raises:
            DatabaseUnavailable: It does not answer.
        """
        address = make_url(url)
        if address.get_backend_name() == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        engine = create_engine(address)
        if address.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        METADATA.create_all(engine)
        return cls(engine)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Everything inside happens at once or not at all; on SQLite it holds the one right to write from its start.

        Raises:
            DatabaseUnavailable: It does not answer; nothing was changed.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise DatabaseUnavailable("The database does not answer. Nothing was changed; try again.") from error

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()
