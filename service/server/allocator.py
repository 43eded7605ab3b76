"""Keeps the C library's free memory for the next bodies, and releases it to the system when there are none.

glibc returns the free end of its heap at each chance, and the next body of 700 KB faults it in again, page by page: a
quarter of the processor time of such a request. Free memory elsewhere in a heap it never returns: after a million names
in a body 60 to 120 MB stayed resident.
"""

import ctypes
import os
import sys
from pathlib import Path
from typing import Protocol

LEAST_GROWTH = 16 * 2**20
"""Of resident memory, in bytes, for which it is released: that takes 1 to 2 ms."""
LOAD = 16 * 2**20
"""Bytes of bodies since the last look with which nothing is released: a continuous load needs the memory again."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt (glibc, malloc.h)."""
KEPT_BYTES = 64 * 2**20
"""Free memory at the end of a heap that glibc keeps; with 16 MiB, bodies of 700 KB fault in up to twice the pages."""
LARGEST_BLOCK = 32 * 2**20
"""Larger blocks are mapped by themselves; the most that glibc allows."""


class BodyBytes(Protocol):
    """Counts the bytes of bodies."""

    released: int
    """Of all that were answered so far."""


class FreeMemory:
    """Releases free memory after large requests; does nothing where the C library is not glibc.

    Args:
        bodies: Of the service.
    """

    def __init__(self, bodies: BodyBytes) -> None:
        self._bodies, self._seen, self._baseline, self._library = bodies, 0, 0, _glibc()

    def release(self) -> None:
        """Release free memory to the system, if resident memory has grown and few bodies came since the last call."""
        before, self._seen = self._seen, self._bodies.released
        if self._library is None or self._seen - before >= LOAD:
            return
        resident = _resident_bytes()
        if resident - self._baseline >= LEAST_GROWTH:
            self._library.malloc_trim(0)
            self._baseline = _resident_bytes()
        else:
            self._baseline = min(resident, self._baseline)


def keep_free_memory() -> None:
    """Let this process keep its free memory until `FreeMemory` releases it."""
    library = _glibc()
    if library is not None:
        library.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        library.mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK)


def _glibc() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "malloc_trim") else None


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
