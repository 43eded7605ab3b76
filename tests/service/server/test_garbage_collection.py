"""Nothing is collected during start-up, and its objects are not traversed later."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from service.server import garbage_collection


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
