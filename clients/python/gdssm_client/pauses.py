"""Pauses between requests that ask for the progress of work on the service."""

import math
import time

FIRST_PAUSE = 0.1
"""Seconds, at first and after progress."""
GROWTH = 1.5
"""Of a pause without progress, relative to the one before."""
LONGEST_PAUSE = 5.0
"""Seconds."""


class Pauses:
    """Pauses that grow while there is no progress.

    Args:
        deadline: Seconds until the last request; None for no limit.
    """

    def __init__(self, deadline: float | None) -> None:
        self._end = math.inf if deadline is None else time.monotonic() + deadline
        self._next = FIRST_PAUSE

    def next(self, *, progress: bool) -> float | None:
        """Return the seconds until the next request; None if the time is over.

        Args:
            progress: Whether the last response had something new.
        """
        seconds, left = FIRST_PAUSE if progress else self._next, self._end - time.monotonic()
        self._next = min(GROWTH * seconds, LONGEST_PAUSE)
        return min(seconds, left) if left > 0 else None
