"""Releases the free memory of the C library's allocator to the system after large bodies.

glibc by itself releases free memory at the end of each arena only. After a million names in a body 60 to 120 MB stayed
resident, and more than 150 on a busy machine, where more threads, and so more arenas, were in use.
"""

import ctypes
import sys
from collections.abc import Callable

LEAST_BYTES = 2**20
"""Of bodies since the last time: a trim takes milliseconds, and small bodies leave nothing behind."""


class FreedMemory:
    """Releases memory after large bodies; does nothing where the C library is not glibc.

    Args:
        released: Returns the bytes of all bodies that were answered so far.
    """

    def __init__(self, released: Callable[[], int]) -> None:
        self._released, self._seen = released, 0
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None

    def release(self) -> None:
        """Release free memory to the system, if there were large bodies since the last call."""
        size = self._released()
        if self._trim is not None and size - self._seen >= LEAST_BYTES:
            self._seen = size
            self._trim(0)
