"""The C library's allocator: memory that large bodies leave behind is given back to the system.

glibc gives back what is free at the end of each of its arenas only. After a million names in a body 60 to 120 MB stayed
resident, and more than 150 on a busy machine, where more threads and so more arenas take part.
"""

import ctypes
import sys
from collections.abc import Callable

TRIM_INTERVAL = 1.0
"""Seconds between two looks."""
LEAST_BYTES = 2**20
"""Of bodies since the last time: a trim takes milliseconds, and small bodies leave nothing behind."""


class FreedMemory:
    """Gives back memory after large bodies; does nothing where the C library is not glibc.

    Args:
        released: Returns the bytes of all bodies that were answered so far.
    """

    def __init__(self, released: Callable[[], int]) -> None:
        self._released, self._seen = released, 0
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None

    def give_back(self) -> None:
        """Give back what is free, if there were large bodies since the last call."""
        released = self._released()
        if self._trim is not None and released - self._seen >= LEAST_BYTES:
            self._seen = released
            self._trim(0)
