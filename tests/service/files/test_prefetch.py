import threading
from collections.abc import Iterator

import pytest

from service.files.parquet import prefetch


def test_items_come_in_order_to_the_end() -> None:
    assert list(prefetch(iter(range(5)))) == [0, 1, 2, 3, 4]
    assert list(prefetch(())) == []
    assert list(prefetch([None, None])) == [None, None]


def test_exactly_one_item_is_prefetched() -> None:
    made, second = list[int](), threading.Event()

    def making() -> Iterator[int]:
        for number in range(4):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    items = prefetch(making())
    assert next(items) == 0
    assert second.wait(10), "the second is made before it is requested"
    assert made == [0, 1]
    items.close()  # type: ignore[attr-defined]  # a generator
    assert made == [0, 1]


def test_errors_are_raised_in_order() -> None:
    def making() -> Iterator[int]:
        yield 1
        raise ValueError("the second")

    items = prefetch(making())
    assert next(items) == 1
    with pytest.raises(ValueError, match="the second"):
        next(items)


def test_thread_ends_with_the_iteration() -> None:
    items = prefetch(iter(range(3)))
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]  # a generator
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]
