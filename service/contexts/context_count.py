"""The number of contexts of all owners, as a metric."""

import math
import threading
import time

from service.contexts.quota import total
from service.errors import DatabaseUnavailable
from service.store.database import Database

CACHE_SECONDS = 15.0
"""Seconds for which an answer is kept: counting adds 16 counts of each owner."""


class ContextCount:
    """Counts the contexts of a database, with a cache."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._count = math.nan
        self._until = 0.0

    def read(self) -> float:
        """Count those of all owners; not a number where the database does not answer."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._count = _count(self._database)
                self._until = time.monotonic() + CACHE_SECONDS
            return self._count


def _count(database: Database) -> float:
    try:
        with database.reading() as connection:
            return float(total(connection))
    except DatabaseUnavailable:
        return math.nan
