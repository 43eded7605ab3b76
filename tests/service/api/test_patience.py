"""One clock for many who wait."""

import asyncio
import time

from service.api.patience import Patience


class One:
    """Somebody who waits for so many seconds, and notes when that was over."""

    def __init__(self, seconds: float, struck: list[float]) -> None:
        self.deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._struck = struck

    def expire(self) -> None:
        self._struck.append(self._seconds)


def struck_of(begin: list[float], end: set[float]) -> list[float]:
    """Let some begin to wait, and some of them end it; returns whose time was over, in order."""

    async def wait() -> list[float]:
        struck: list[float] = []
        patience = Patience()
        everybody = [One(seconds, struck) for seconds in begin]
        for one in everybody:
            patience.begin(one)
        for one, seconds in zip(everybody, begin, strict=True):
            if seconds in end:
                patience.end(one)
        await asyncio.sleep(0.1)
        return struck

    return asyncio.run(wait())


def test_everybody_s_time_is_over_in_the_order_of_the_deadlines() -> None:
    assert struck_of([0.03, 0.01, 0.05, 0.02], set()) == [0.01, 0.02, 0.03, 0.05]


def test_whoever_ends_in_time_is_not_called_and_keeps_nobody_else_from_it() -> None:
    assert struck_of([0.01, 0.02, 0.03], {0.01, 0.03}) == [0.02]


def test_those_who_come_after_the_clock_has_struck_for_nobody_are_watched_too() -> None:
    async def later() -> list[float]:
        struck: list[float] = []
        patience = Patience()
        first = One(0.01, struck)
        patience.begin(first)
        patience.end(first)
        await asyncio.sleep(0.03)
        patience.begin(One(0.01, struck))
        await asyncio.sleep(0.05)
        return struck

    assert asyncio.run(later()) == [0.01]
