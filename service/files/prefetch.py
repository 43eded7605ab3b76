"""Reading prefetch: while one chunk is worked on, the next one is read."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def prefetch(items: Iterable[Item]) -> Iterator[Item]:
    """Make the next item in a thread of its own while the present one is used; one waits at most.

    What making an item raises is raised here, in its turn. For what lets other threads run meanwhile, and never waits
    for somebody: leaving early waits for the item that is being made.
    """
    making, end = iter(items), object()
    with ThreadPoolExecutor(1, "prefetch") as thread:
        coming = thread.submit(next, making, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, making, end)
            yield item  # type: ignore[misc]  # it is not the end
