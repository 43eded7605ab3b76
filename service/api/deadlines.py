"""One clock for everybody who waits: a timer of its own would cost each request more than most wait."""

import asyncio
from typing import Protocol


class Waiting(Protocol):
    """Somebody who waits, but not for ever."""

    deadline: float
    """On the clock of `time.monotonic`, which is the event loop's."""

    def expire(self) -> None:
        """Wait no longer."""


class DeadlineScheduler:
    """Calls `expire`, once, of each who still waits when the time is over."""

    def __init__(self) -> None:
        self._waiting: set[Waiting] = set()
        self._clock: asyncio.TimerHandle | None = None
        self._strikes = float("inf")

    def begin(self, one: Waiting) -> None:
        """Watch somebody's time."""
        self._waiting.add(one)
        if one.deadline < self._strikes:
            self._set(one.deadline)

    def end(self, one: Waiting) -> None:
        """Watch it no longer; the clock strikes all the same, and then finds nobody to call."""
        self._waiting.discard(one)

    def _set(self, deadline: float) -> None:
        if self._clock is not None:
            self._clock.cancel()
        self._strikes = deadline
        self._clock = asyncio.get_running_loop().call_at(deadline, self._strike)

    def _strike(self) -> None:
        now, self._clock, self._strikes = self._strikes, None, float("inf")
        over = {one for one in self._waiting if one.deadline <= now}
        self._waiting -= over
        if self._waiting:
            self._set(min(one.deadline for one in self._waiting))
        for one in over:
            one.expire()
