"""Nothing is collected during start-up, and its objects are not traversed later."""

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from service.server import garbage_collection
from service.server.garbage_collection import NEVER, without_full_collections


class Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    gc.enable()


def test_nothing_is_collected_during_startup() -> None:
    garbage_collection.disable_during_startup()
    cycle = weakref.ref(Cycle())
    made = [[number] for number in range(10 * gc.get_threshold()[0])]
    assert cycle() is not None
    garbage_collection.freeze_startup_objects()
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(made)


def test_objects_created_after_startup_are_collected() -> None:
    garbage_collection.disable_during_startup()
    garbage_collection.freeze_startup_objects()
    cycle = weakref.ref(Cycle())
    made = [[number] for number in range(2 * gc.get_threshold()[0])]
    assert cycle() is None
    assert len(made) == 2 * gc.get_threshold()[0]


def test_no_full_collection_begins_while_paused() -> None:
    gc.set_threshold(10, 2, 2)
    before = [generation["collections"] for generation in gc.get_stats()]
    with without_full_collections():
        made = [[number] for number in range(10_000)]
    after = [generation["collections"] for generation in gc.get_stats()]
    assert len(made) == 10_000
    assert after[0] > before[0] + 100
    assert after[2] == before[2]


def test_thresholds_are_restored_after_an_exception() -> None:
    gc.set_threshold(700, 11, 12)
    with pytest.raises(ValueError, match="refused"), without_full_collections():
        raise ValueError("refused")
    assert gc.get_threshold() == (700, 11, 12)


def test_the_last_of_overlapping_pauses_restores_the_thresholds() -> None:
    gc.set_threshold(700, 11, 12)
    begun, leave = threading.Event(), threading.Event()

    def pause() -> None:
        with without_full_collections():
            begun.set()
            leave.wait()

    other = threading.Thread(target=pause)
    with without_full_collections(), without_full_collections():
        other.start()
        begun.wait()
    assert gc.get_threshold() == (700, 11, NEVER)
    leave.set()
    other.join()
    assert gc.get_threshold() == (700, 11, 12)


def test_the_end_of_startup_during_a_pause_keeps_its_thresholds() -> None:
    with without_full_collections():
        garbage_collection.freeze_startup_objects()
    assert gc.get_threshold() == (10_000, 20, 20)
