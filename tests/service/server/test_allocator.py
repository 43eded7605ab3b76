import ctypes
from collections.abc import Callable

import pytest

from service.server.allocator import LEAST_BYTES, FreedMemory


@pytest.fixture
def trims(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    library = type("Library", (), {"malloc_trim": staticmethod(found.append)})
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    return found


def sizes(*values: int) -> Callable[[], int]:
    return iter(values).__next__


def test_memory_is_released_once_after_large_bodies(trims: list[int]) -> None:
    memory = FreedMemory(sizes(0, LEAST_BYTES - 1, LEAST_BYTES, LEAST_BYTES, 2 * LEAST_BYTES))
    counts = []
    for _ in range(5):
        memory.release()
        counts.append(len(trims))
    assert counts == [0, 0, 1, 1, 2]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    FreedMemory(sizes(LEAST_BYTES)).release()
