"""The number of contexts of all owners, as a metric."""

import math
import threading
import time
from collections.abc import Callable

from service.contexts.quota import total
from service.errors import DatabaseUnavailable
from service.store.database import Database

CACHE_SECONDS = 15.0
"""Seconds for which an answer is kept: counting adds 16 counts of each owner."""


class ContextCount:
    """Counts the contexts of a database, with a cache.

    Args:
        database: Is counted in.
        is_up: Whether it answers; otherwise it is not asked.
    """

    def __init__(self, database: Database, is_up: Callable[[], bool] = lambda: True) -> None:
        self._database = database
        self._is_up = is_up
        self._lock = threading.Lock()
        self._count = math.nan
        self._until = 0.0

    def read(self) -> float:
        """Count those of all owners; not a number where the database does not answer."""
        if not self._is_up():
            return math.nan
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
