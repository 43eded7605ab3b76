"""Whether the database answers, as a metric."""

import math
import time
from collections.abc import Callable

from sqlalchemy import literal, select

from service.errors import DatabaseUnavailable
from service.store.database import Database

CHECK_INTERVAL = 5.0
"""Seconds between two checks."""
SILENCE_LIMIT = 15.0
"""Seconds without an answer after which a database counts as down: a check may wait for one that hangs."""


class Availability:
    """The result of the last check; reading it never waits, so that metrics are answered while the database is not.

    Args:
        database: Answered when it was opened.
        clock: A monotonic clock, in seconds.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._answered = clock()

    def check(self) -> None:
        """Ask the database; waits for its answer."""
        try:
            with self._database.reading() as connection:
                connection.execute(select(literal(1)))
        except DatabaseUnavailable:  # already logged
            self._answered = -math.inf
        else:
            self._answered = self._clock()

    def is_up(self) -> bool:
        """Return whether it has answered the last check, and lately."""
        return self._clock() - self._answered < SILENCE_LIMIT
