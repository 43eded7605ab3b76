"""Deadlines of many waits on one timer of the event loop: a timer for each request would cost more than most waits."""

import asyncio
from typing import Protocol


class Wait(Protocol):
    """A wait with a deadline."""

    deadline: float
    """On the clock of `time.monotonic`, which is the event loop's."""

    def expire(self) -> None:
        """Abort the wait."""


class DeadlineScheduler:
    """Calls `expire` once for each wait that has not ended by its deadline."""

    def __init__(self) -> None:
        self._waits: set[Wait] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_deadline = float("inf")

    def begin(self, wait: Wait) -> None:
        """Add a wait."""
        self._waits.add(wait)
        if wait.deadline < self._timer_deadline:
            self._set_timer(wait.deadline)

    def end(self, wait: Wait) -> None:
        """Remove a wait; the timer may still fire for its deadline, without effect."""
        self._waits.discard(wait)

    def _set_timer(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_deadline = deadline
        self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        now, self._timer, self._timer_deadline = self._timer_deadline, None, float("inf")
        expired = {wait for wait in self._waits if wait.deadline <= now}
        self._waits -= expired
        if self._waits:
            self._set_timer(min(wait.deadline for wait in self._waits))
        for wait in expired:
            wait.expire()
