"""Where work runs: what is short in the event loop, what is long or waits for a database in a bounded pool."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from prometheus_client import Gauge

from service.errors import Overloaded
from service.observability.request_stats import CURRENT, RequestStats

Result = TypeVar("Result")
Watch = Callable[[str, float, float], None]

INLINE_LIMIT = 4096
"""Numbers that are worked on inline. Measured on one core of a server: the slowest models that ship (sine-trained,
softmax-8) take 0.9 ms for so many, the others 0.1 to 0.4 ms; a thread costs 0.1 ms and its turns at the GIL."""
INLINE_SECONDS = 0.001
"""More numbers are worked on inline where their kind of work has lately been done in so little time,"""
MAX_INLINE_LIMIT = 32 * INLINE_LIMIT
"""but never more than these."""
BYTES_PER_NUMBER = 8
"""What a byte of a body counts."""
NARROWEST = 16
"""A row counts as at least so many numbers, for what a model computes with it."""


def numbers_in(rows: int, columns: int) -> int:
    """Count the numbers of a prediction: its rows, and the square matrix that a state may be.

    Args:
        rows: N + M.
        columns: D + K.
    """
    return rows * max(columns, NARROWEST) + columns * columns


class CostModel:
    """How long one kind of work takes for each number, as it was seen lately; what nobody has seen yet takes long."""

    def __init__(self) -> None:
        self._seconds = float("inf")

    def is_short(self, size: int, limit: float = INLINE_SECONDS) -> bool:
        """Return whether work on so many numbers is expected to take at most `limit` seconds."""
        return size <= MAX_INLINE_LIMIT and size * self._seconds <= limit

    def saw(self, size: int, seconds: float) -> None:
        """Learn from work that was done, on enough numbers that it tells of them."""
        each = seconds / size
        known = self._seconds < float("inf")
        self._seconds = self._seconds + (each - self._seconds) / 8 if known else each


class Executor:
    """Runs functions so that the event loop is never held up.

    Args:
        threads: How many long functions run at a time, and how many changes of the database in threads of their own: a
            read never waits for a thread that waits for the right to write.
        waiting: Shows how many wait for one of the threads.
        share: Of either, for one key.
        inline_seconds: Work that is expected to take so long at most runs in the event loop.
        watch: Called with the name, begin and end of every step, on the clock of `time.monotonic`, within its request.
    """

    def __init__(
        self,
        threads: int,
        waiting: Gauge,
        share: float = 1.0,
        inline_seconds: float = INLINE_SECONDS,
        watch: Watch | None = None,
    ) -> None:
        self._inline_seconds = inline_seconds
        self._threads = ThreadPoolExecutor(threads, "pool")
        self._writers = ThreadPoolExecutor(threads, "write")
        self._most_of_one = max(1, int(share * threads))
        self._turns: dict[tuple[str, bool], _Turns] = {}
        """By key, apart for changes."""
        self._waiting = waiting
        self._paces: defaultdict[Hashable, CostModel] = defaultdict(CostModel)
        self._watch = watch

    async def run(
        self, function: Callable[[], Result], size: int | None = None, kind: Hashable = None, *, writes: bool = False
    ) -> Result:
        """Run a function and return what it returns.

        Args:
            function: Pure computation, or a transaction.
            size: How many numbers it works on (`numbers_in`, or bytes of JSON / BYTES_PER_NUMBER), if it only computes;
                None if it may wait for something.
            kind: Work of one kind takes about as long for each number, one of a few: never a caller's words. Left out,
                whatever is not short by its size is long.
            writes: Whether it changes the database.

        Raises:
            Overloaded: The request's time was over before this began.
        """
        short = size is not None and size <= INLINE_LIMIT
        if size is not None and not short and kind is not None:
            pace = self._paces[kind]
            short, function = pace.is_short(size, self._inline_seconds), partial(_timed, function, size, pace)
        submitted, record = time.monotonic(), CURRENT.get()
        if short:
            return self._work(function, record, submitted)
        work = partial(self._work, function, record, submitted)
        threads = self._writers if writes else self._threads
        if record is None or not record.key_id:
            return await self._in_thread(work, threads)
        async with self._turn(record.key_id, writes=writes):
            return await self._in_thread(work, threads)

    def _work(self, function: Callable[[], Result], record: RequestStats | None, submitted: float) -> Result:
        """Run a function now, and write down how long that took."""
        begun = time.monotonic()
        try:
            if record is not None and begun > record.deadline:
                raise _too_late(record)
            return function()
        finally:
            ended = time.monotonic()
            if record is not None:
                record.queue += begun - submitted
                record.compute += ended - begun
            if self._watch is not None:
                self._watch("queue", submitted, begun)
                self._watch("compute", begun, ended)

    @asynccontextmanager
    async def _turn(self, key: str, *, writes: bool) -> AsyncIterator[None]:
        """Wait until a key has fewer threads than its share, behind what it asked for before."""
        turns = self._turns.setdefault((key, writes), _Turns(self._most_of_one))
        turns.users += 1
        try:
            self._waiting.inc()
            try:
                await turns.free.acquire()
            finally:
                self._waiting.dec()
            try:
                yield
            finally:
                turns.free.release()
        finally:
            turns.users -= 1
            if not turns.users:
                del self._turns[key, writes]

    async def _in_thread(self, function: Callable[[], Result], threads: ThreadPoolExecutor) -> Result:
        def leave(future: Future[Result]) -> None:
            if future.cancelled():  # it never began: its caller is gone
                self._waiting.dec()

        def begin() -> Result:
            self._waiting.dec()
            return function()

        self._waiting.inc()
        future = threads.submit(copy_context().run, begin)
        future.add_done_callback(leave)
        try:
            return await asyncio.wrap_future(future)
        finally:
            # An error holds this frame, and by it the future that holds the error, and all that the function worked on.
            del future

    def close(self) -> None:
        """Begin nothing more; what runs is left to its end."""
        for threads in (self._threads, self._writers):
            threads.shutdown(wait=False, cancel_futures=True)


class _Turns:
    """The threads of one key that are free, and how many functions have one or wait for one."""

    def __init__(self, threads: int) -> None:
        self.free = asyncio.Semaphore(threads)
        self.users = 0


def _timed(function: Callable[[], Result], size: int, pace: CostModel) -> Result:
    """Run a function and see how long this thread was busy with it; waiting for its turn does not count."""
    begun = time.thread_time()
    try:
        return function()
    finally:
        pace.saw(size, time.thread_time() - begun)


def _too_late(record: RequestStats) -> Overloaded:
    """What comes too late is worth nothing; without this a queue that once is long stays long."""
    return Overloaded(
        f"A request may take {record.deadline - record.started:g} seconds (GDSSM_REQUEST_TIMEOUT); this one has "
        "waited or worked for longer. Try again in a moment, or send less at a time."
    )
