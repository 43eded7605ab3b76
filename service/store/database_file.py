"""Whether the file of a SQLite database is still the one that was opened."""

import os
from typing import Self

from sqlalchemy import Connection

from service.errors import DatabaseUnavailable
from service.store.sqlite import file_of

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
