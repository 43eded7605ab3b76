"""Where work runs: what is short in the event loop, what is long or waits for a database in a bounded pool."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Generic, TypeVar

from prometheus_client import Gauge

from service.errors import Overloaded
from service.signals.record import Record, current

Result = TypeVar("Result")
Watch = Callable[[str, float, float], None]

SHORT = 4096
"""Numbers that are worked on inline. Measured on one core of a server: the slowest models that ship (sine-trained,
softmax-8) take 0.9 ms for so many, the others 0.1 to 0.4 ms; a thread costs 0.1 ms and its turns at the GIL."""
BYTES_A_NUMBER = 8
"""What a byte of JSON counts: 32 KiB, the most that is read inline, take 0.3 ms."""
NARROWEST = 16
"""A row counts as at least so many numbers, for what a model computes with it."""


def numbers_in(rows: int, columns: int) -> int:
    """Count the numbers of a prediction: its rows, and the square matrix that a state may be.

    Args:
        rows: N + M.
        columns: D + K.
    """
    return rows * max(columns, NARROWEST) + columns * columns


class Pool:
    """Runs functions so that the event loop is never held up.

    Args:
        threads: How many long functions run side by side.
        waiting: Shows how many wait for one of the threads.
    """

    def __init__(self, threads: int, waiting: Gauge) -> None:
        self._threads = ThreadPoolExecutor(threads, "pool")
        self._waiting = waiting
        self.watch: Watch | None = None
        """Told of every step (its name, begin and end on the clock of `time.perf_counter`) within its request."""

    async def run(self, function: Callable[[], Result], size: int | None = None) -> Result:
        """Run a function and return what it returns.

        Args:
            function: Pure computation, or a transaction.
            size: How many numbers it works on (`numbers_in`, or bytes of JSON / BYTES_A_NUMBER), if it only computes;
                None if it may wait for something.

        Raises:
            Overloaded: The request's time was over before this began.
        """
        job = _Job(function, current())
        try:
            if size is not None and size <= SHORT:
                return job.run()
            return await self._in_thread(job)
        finally:
            if self.watch is not None and job.begun:
                self.watch("queue", job.submitted, job.begun)
                self.watch("compute", job.begun, job.ended)

    async def _in_thread(self, job: "_Job[Result]") -> Result:
        def leave(future: Future[Result]) -> None:
            if future.cancelled():  # it never began: its caller is gone
                self._waiting.dec()

        def begin() -> Result:
            self._waiting.dec()
            return job.run()

        self._waiting.inc()
        future = self._threads.submit(copy_context().run, begin)
        future.add_done_callback(leave)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Begin nothing more; what runs is left to its end."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Job(Generic[Result]):
    """One function, and when it was given, begun and ended."""

    def __init__(self, function: Callable[[], Result], record: Record | None) -> None:
        self._function = function
        self._record = record
        self.submitted = time.perf_counter()
        self.begun = self.ended = 0.0

    def run(self) -> Result:
        """Run the function, and write down how long that took."""
        self.begun = time.perf_counter()
        try:
            if self._record is not None:
                self._record.queue += self.begun - self.submitted
                _check_time(self._record)
            return self._function()
        finally:
            self.ended = time.perf_counter()
            if self._record is not None:
                self._record.compute += self.ended - self.begun


def _check_time(record: Record) -> None:
    """What comes too late is worth nothing; without this a queue that once is long stays long."""
    if time.monotonic() > record.deadline:
        raise Overloaded(
            f"A request may take {record.deadline - record.started:g} seconds (GDSSM_REQUEST_TIMEOUT); this one has "
            "waited or worked for longer. Try again in a moment, or send less at a time."
        )
