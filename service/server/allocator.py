"""Keeps the C library's free memory for the next bodies, and releases it to the system when there are none.

glibc returns the free end of its heap at each chance, and the next body of 700 KB faults it in again, page by page: a
quarter of the processor time of such a request. Free memory elsewhere in a heap it never returns: after a million names
in a body 60 to 120 MB stayed resident.

Arrow has another allocator for the columns of files, which keeps the memory of each of its threads: 50 to 70 MB
after a file of 7 MB. It uses the C library's here.
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
QUIET_LOOKS = 2
"""Looks without a body in flight after which memory is released again: requests may have used it the last time."""


class BodyBytes(Protocol):
    """Counts the bytes of bodies."""

    released: int
    """Of all that were answered so far."""
    used: int
    """Of those in flight."""


class FreeMemory:
    """Releases free memory after large requests; does nothing where the C library is not glibc.

    Args:
        bodies: Of the service.
    """

    def __init__(self, bodies: BodyBytes) -> None:
        self._bodies, self._seen, self._baseline, self._library = bodies, 0, 0, _glibc()
        self._quiet_looks, self._release_again = 0, False

    def release(self) -> None:
        """Release free memory to the system, if resident memory has grown and few bodies came since the last call.

        A request may have been at work then: once more when none has been in flight for a while.
        """
        before, self._seen = self._seen, self._bodies.released
        self._quiet_looks = 0 if self._bodies.used or self._seen > before else self._quiet_looks + 1
        if self._library is None or self._seen - before >= LOAD:
            return
        resident = _resident_bytes()
        grown = resident - self._baseline >= LEAST_GROWTH
        if grown or (self._release_again and self._quiet_looks >= QUIET_LOOKS):
            self._library.malloc_trim(0)
            self._baseline, self._release_again = _resident_bytes(), grown
        else:
            self._baseline = min(resident, self._baseline)


def keep_free_memory() -> None:
    """Let this process keep its free memory until `FreeMemory` releases it; call it before pyarrow is imported."""
    library = _glibc()
    if library is not None:
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        library.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        library.mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK)


def _glibc() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "malloc_trim") else None


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
