import ctypes
from dataclasses import dataclass

import pytest

from service.server.allocator import LEAST_BYTES, FreedMemory


@dataclass
class Bodies:
    used: int = 0
    released: int = 0


@pytest.fixture
def trims(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    library = type("Library", (), {"malloc_trim": staticmethod(found.append)})
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    return found


def test_memory_is_released_once_after_large_bodies(trims: list[int]) -> None:
    bodies = Bodies()
    memory = FreedMemory(bodies)
    counts = []
    for bodies.released in (0, LEAST_BYTES - 1, LEAST_BYTES, LEAST_BYTES, 2 * LEAST_BYTES):
        memory.release()
        counts.append(len(trims))
    assert counts == [0, 0, 1, 1, 2]


def test_memory_is_kept_while_large_bodies_arrive(trims: list[int]) -> None:
    bodies = Bodies(used=LEAST_BYTES, released=LEAST_BYTES)
    memory = FreedMemory(bodies)
    memory.release()
    assert trims == []
    bodies.used = LEAST_BYTES - 1
    memory.release()
    assert len(trims) == 1


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    FreedMemory(Bodies(released=LEAST_BYTES)).release()
