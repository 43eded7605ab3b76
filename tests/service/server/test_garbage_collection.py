"""Nothing is collected while a service starts, and what the start has made is never looked at again."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from service.server import garbage_collection


class Knot:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    gc.enable()


def test_garbage_lies_until_the_start_is_over() -> None:
    garbage_collection.disable_during_startup()
    knot = weakref.ref(Knot())
    made = [[number] for number in range(10 * gc.get_threshold()[0])]
    assert knot() is not None
    garbage_collection.freeze_startup_objects()
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(made)


def test_objects_created_after_startup_are_collected() -> None:
    garbage_collection.disable_during_startup()
    garbage_collection.freeze_startup_objects()
    knot = weakref.ref(Knot())
    made = [[number] for number in range(2 * gc.get_threshold()[0])]
    assert knot() is None
    assert len(made) == 2 * gc.get_threshold()[0]
