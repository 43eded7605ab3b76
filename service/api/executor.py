"""Runs short computations in the event loop, and long ones and database transactions in a bounded thread pool."""

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
from service.observability.request_stats import CURRENT_STATS, RequestStats

Result = TypeVar("Result")
StepObserver = Callable[[str, float, float], None]

INLINE_LIMIT = 4096
"""Work on at most this many numbers always runs inline. Measured on one core of a server: the slowest models that ship
(sine-trained, softmax-8) take 0.9 ms for it, the others 0.1 to 0.4 ms; a thread costs 0.1 ms, and waits for the GIL."""
INLINE_SECONDS = 0.001
"""Larger work runs inline if its cost model expects at most this time."""
MAX_INLINE_LIMIT = 32 * INLINE_LIMIT
"""Work on more numbers never runs inline."""
BYTES_PER_NUMBER = 8
"""Body bytes per number, for cost estimates."""
MIN_ROW_NUMBERS = 16
"""A row counts as at least this many numbers, for the computation of a model on it."""


def numbers_in(rows: int, columns: int) -> int:
    """Estimate the size of a prediction: its rows, and the square matrix of a state.

    Args:
        rows: N + M.
        columns: D + K.
    """
    return rows * max(columns, MIN_ROW_NUMBERS) + columns * columns


class CostModel:
    """The time per number of one kind of work, as a moving average; infinite before the first measurement."""

    def __init__(self) -> None:
        self._seconds_per_number = float("inf")

    def is_short(self, size: int, limit: float = INLINE_SECONDS) -> bool:
        """Return whether work on `size` numbers is expected to take at most `limit` seconds."""
        return size <= MAX_INLINE_LIMIT and size * self._seconds_per_number <= limit

    def update(self, size: int, seconds: float) -> None:
        """Add a measurement."""
        measured, average = seconds / size, self._seconds_per_number
        self._seconds_per_number = average + (measured - average) / 8 if average < float("inf") else measured


class Executor:
    """Runs functions without blocking the event loop for long.

    Args:
        threads: Size of the pool for computations and reads, and of the one for writes: a read never waits behind a
            write that waits for the database's write lock.
        waiting: Gauge of the functions that wait for a thread.
        share: The part of the threads of either pool that one key may use.
        inline_seconds: Work that is expected to take at most this time runs in the event loop.
        observe_step: Called in the context of the request with the name, begin and end of every step, on the clock of
            `time.monotonic`.
    """

    def __init__(
        self,
        threads: int,
        waiting: Gauge,
        share: float = 1.0,
        inline_seconds: float = INLINE_SECONDS,
        observe_step: StepObserver | None = None,
    ) -> None:
        self._inline_seconds = inline_seconds
        self._threads = ThreadPoolExecutor(threads, "pool")
        self._writers = ThreadPoolExecutor(threads, "write")
        self._threads_per_key = max(1, int(share * threads))
        self._key_threads: dict[tuple[str, bool], _KeyThreads] = {}
        """By key and `writes`."""
        self.waiting = waiting
        self._cost_models: defaultdict[Hashable, CostModel] = defaultdict(CostModel)
        self._observe_step = observe_step

    async def run(
        self, function: Callable[[], Result], size: int | None = None, kind: Hashable = None, *, writes: bool = False
    ) -> Result:
        """Run a function and return its result.

        Args:
            function: A computation or a transaction.
            size: The numbers that a computation works on (`numbers_in`, or bytes of JSON / BYTES_PER_NUMBER); None if
                the function may block.
            kind: Selects the cost model; there must be few values, so none from a request. Without a kind only `size`
                decides whether the function runs inline.
            writes: Whether it changes the database.

        Raises:
            Overloaded: The request's deadline passed before the function began.
        """
        short = size is not None and size <= INLINE_LIMIT
        if size is not None and not short and kind is not None:
            cost_model = self._cost_models[kind]
            short, function = (
                cost_model.is_short(size, self._inline_seconds),
                partial(_timed, function, size, cost_model),
            )
        submitted, stats = time.monotonic(), CURRENT_STATS.get()
        if short:
            return self._work(function, stats, submitted)
        work = partial(self._work, function, stats, submitted)
        return await self._in_share(work, "" if stats is None else stats.key_id, writes=writes)

    async def run_for_all(self, function: Callable[[], Result], key: str) -> Result:
        """Change the database for several requests of one key; the caller checks their deadlines, and records times."""
        return await self._in_share(function, key, writes=True)

    def record(self, stats: RequestStats | None, submitted: float, begun: float, ended: float) -> None:
        """Record the times of one request's work, in the context of the request."""
        if stats is not None:
            stats.queue += begun - submitted
            stats.compute += ended - begun
        if self._observe_step is not None:
            self._observe_step("queue", submitted, begun)
            self._observe_step("compute", begun, ended)

    def _work(self, function: Callable[[], Result], stats: RequestStats | None, submitted: float) -> Result:
        """Run a function in the present thread, and record its times."""
        begun = time.monotonic()
        try:
            if stats is not None and begun > stats.deadline:
                raise too_late(stats)
            return function()
        finally:
            self.record(stats, submitted, begun, time.monotonic())

    async def _in_share(self, function: Callable[[], Result], key: str, *, writes: bool) -> Result:
        """Run a function in one of the threads that its key may use; all are free to requests without a key."""
        threads = self._writers if writes else self._threads
        if not key:
            return await self._in_thread(function, threads)
        async with self._key_thread(key, writes=writes):
            return await self._in_thread(function, threads)

    @asynccontextmanager
    async def _key_thread(self, key: str, *, writes: bool) -> AsyncIterator[None]:
        """Wait, in order of arrival, until a key uses fewer threads than its share."""
        threads = self._key_threads.setdefault((key, writes), _KeyThreads(self._threads_per_key))
        threads.users += 1
        try:
            self.waiting.inc()
            try:
                await threads.free.acquire()
            finally:
                self.waiting.dec()
            try:
                yield
            finally:
                threads.free.release()
        finally:
            threads.users -= 1
            if not threads.users:
                del self._key_threads[key, writes]

    async def _in_thread(self, function: Callable[[], Result], threads: ThreadPoolExecutor) -> Result:
        def leave(future: Future[Result]) -> None:
            if future.cancelled():  # before it began, as its request was cancelled
                self.waiting.dec()

        def begin() -> Result:
            self.waiting.dec()
            return function()

        self.waiting.inc()
        future = threads.submit(copy_context().run, begin)
        future.add_done_callback(leave)
        try:
            return await asyncio.wrap_future(future)
        finally:
            # Breaks the reference cycle of an exception, this frame and the future.
            del future

    def close(self) -> None:
        """Cancel the functions that wait for a thread; running ones finish."""
        for threads in (self._threads, self._writers):
            threads.shutdown(wait=False, cancel_futures=True)


class _KeyThreads:
    """The free threads of one key, and the number of functions that use or wait for one."""

    def __init__(self, threads: int) -> None:
        self.free = asyncio.Semaphore(threads)
        self.users = 0


def _timed(function: Callable[[], Result], size: int, cost_model: CostModel) -> Result:
    """Run a function, and update its cost model with the processor time of this thread."""
    begun = time.thread_time()
    try:
        return function()
    finally:
        cost_model.update(size, time.thread_time() - begun)


def too_late(stats: RequestStats) -> Overloaded:
    """Return the error for work past its deadline: its result is useless, and without it a long queue stays long."""
    return Overloaded(
        f"A request may take {stats.deadline - stats.started:g} seconds (GDSSM_REQUEST_TIMEOUT); this one has "
        "waited or worked for longer. Try again in a moment, or send less at a time."
    )
