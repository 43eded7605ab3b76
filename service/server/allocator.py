"""Releases the free memory of the C library's allocator to the system after large bodies.

glibc by itself releases free memory at the end of each arena only. After a million names in a body 60 to 120 MB stayed
resident, and more than 150 on a busy machine, where more threads, and so more arenas, were in use.
"""

import ctypes
import sys
from typing import Protocol

LEAST_BYTES = 2**20
"""Of bodies since the last time, and in flight: a trim takes milliseconds, small bodies leave nothing behind, and the
bodies of a continuous load need the memory again (trims under load took a tenth more time of 700 KB bodies)."""


class BodyBytes(Protocol):
    """Counts the bytes of bodies."""

    used: int
    """In flight."""
    released: int
    """Of all that were answered so far."""


class FreedMemory:
    """Releases memory after large bodies; does nothing where the C library is not glibc.

    Args:
        bodies: Of the service.
    """

    def __init__(self, bodies: BodyBytes) -> None:
        self._bodies, self._seen = bodies, 0
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None

    def release(self) -> None:
        """Release free memory to the system, if there were large bodies since the last call and there are none now."""
        released = self._bodies.released
        if self._trim is not None and released - self._seen >= LEAST_BYTES > self._bodies.used:
            self._seen = released
            self._trim(0)
