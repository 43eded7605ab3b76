import ctypes
import os
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from service.server import allocator
from service.server.allocator import KEPT_BYTES, LARGEST_BLOCK, LEAST_GROWTH, LOAD, FreeMemory

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux only")

BURST = """
import ctypes
from types import SimpleNamespace
from service.server.allocator import FreeMemory, _resident_bytes, keep_free_memory

keep_free_memory()
memory = FreeMemory(SimpleNamespace(released=0, used=0))
memory.release()
before = _resident_bytes()
blocks = [bytes(bytearray(b"x" * 2**20)) for _ in range(60)]  # below the size of a block that is mapped by itself
del blocks
kept = _resident_bytes() - before
memory.release()
print(kept >> 20, _resident_bytes() - before >> 20)
"""


@dataclass
class Bodies:
    released: int = 0
    used: int = 0


@dataclass
class Library:
    """Records calls of glibc, and the resident memory."""

    resident: int = 0
    released: list[int] = field(default_factory=list)
    options: dict[int, int] = field(default_factory=dict)

    def malloc_trim(self, kept: int) -> int:
        self.released.append(self.resident)
        self.resident = kept
        return 1

    def mallopt(self, parameter: int, value: int) -> int:
        self.options[parameter] = value
        return 1


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    monkeypatch.setattr(allocator, "_resident_bytes", lambda: library.resident)
    return library


@LINUX
def test_memory_is_released_when_it_has_grown(library: Library) -> None:
    memory = FreeMemory(Bodies(used=1))
    for library.resident in (LEAST_GROWTH - 1, LEAST_GROWTH, LEAST_GROWTH - 1, LEAST_GROWTH + 5):
        memory.release()
    assert library.released == [LEAST_GROWTH, LEAST_GROWTH + 5]


@LINUX
def test_growth_counts_from_the_least_that_was_resident(library: Library) -> None:
    memory = FreeMemory(Bodies())
    memory._baseline = 5 * LEAST_GROWTH  # as after much that was needed
    for library.resident in (3 * LEAST_GROWTH, 4 * LEAST_GROWTH - 1, 4 * LEAST_GROWTH):
        memory.release()
    assert library.released == [4 * LEAST_GROWTH]


@LINUX
def test_memory_is_released_again_when_no_body_is_in_flight(library: Library) -> None:
    bodies = Bodies(used=1)
    memory = FreeMemory(bodies)
    for library.resident in (LEAST_GROWTH, LEAST_GROWTH - 1, LEAST_GROWTH - 1):
        memory.release()
    assert library.released == [LEAST_GROWTH]
    bodies.used, bodies.released = 0, 1
    for expected in (1, 1, 2, 2, 2):
        memory.release()
        assert len(library.released) == expected


@LINUX
def test_memory_is_kept_under_a_continuous_load(library: Library) -> None:
    bodies = Bodies()
    memory = FreeMemory(bodies)
    library.resident = LEAST_GROWTH
    for bodies.released in (LOAD, 2 * LOAD, 3 * LOAD - 1):
        assert library.released == []
        memory.release()
    assert library.released == [LEAST_GROWTH]


@LINUX
def test_the_server_keeps_free_memory_for_the_next_bodies(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARROW_DEFAULT_MEMORY_POOL", raising=False)
    allocator.keep_free_memory()
    assert library.options == {allocator.M_TRIM_THRESHOLD: KEPT_BYTES, allocator.M_MMAP_THRESHOLD: LARGEST_BLOCK}
    assert os.environ["ARROW_DEFAULT_MEMORY_POOL"] == "system"


@LINUX
def test_a_process_keeps_the_memory_of_a_burst_until_it_is_released() -> None:
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("the C library is not glibc")
    kept, left = map(int, subprocess.check_output([sys.executable, "-c", BURST], text=True).split())
    assert kept >= 50
    assert left <= 10


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    FreeMemory(Bodies()).release()
    allocator.keep_free_memory()
