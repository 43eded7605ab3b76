"""Reads one value without waiting."""

import sqlite3
from collections.abc import Mapping
from functools import cache
from typing import Any, Self

from sqlalchemy import Engine, Select, StaticPool
from sqlalchemy.dialects import sqlite

NAMED = sqlite.dialect(paramstyle="named")


class NonblockingReader:
    """A connection to a SQLite file, for the event loop.

    SQLite finds a row by its key in some ten microseconds, and in WAL mode alongside writers. A thread to wait in,
    a connection out of a pool and a transaction around the statement would take thirty times as long.

    Args:
        connection: Used by this reader only.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("PRAGMA busy_timeout=0")

    @classmethod
    def of(cls, engine: Engine) -> Self | None:
        """Open a connection outside the pool; None where answers take a while, or wait for those who write.

        Raises:
            OperationalError: The database does not answer.
        """
        if engine.dialect.name != "sqlite" or isinstance(engine.pool, StaticPool):
            return None
        pooled = engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        assert isinstance(connection, sqlite3.Connection)  # noqa: S101
        return cls(connection)

    def scalar(self, statement: Select[Any], parameters: Mapping[str, object]) -> Any:  # noqa: ANN401  (as SQLAlchemy's)
        """Read the first value; None if there is none, or if it cannot be read now."""
        try:
            rows = self._connection.execute(_text(statement), parameters).fetchall()
        except sqlite3.Error:
            return None
        return rows[0][0] if rows else None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@cache
def _text(statement: Select[Any]) -> str:
    """Write a statement, one of the few that this is used for, as SQLite reads it."""
    return str(statement.compile(dialect=NAMED))
