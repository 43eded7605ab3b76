"""Learns the observations that wait for one context together: in one transaction, with one wait for the disk.

While a transaction of a context runs, or waits for a thread or for the lock of its row, further observations of that
context collect in the event loop, before the pool of threads. They are taken once the row is locked, so that they
become more while another replica has it. An observation that finds its context free starts at once: none waits for
others to come.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from functools import partial

from prometheus_client import Gauge

from service.api.executor import Executor, too_late
from service.contexts.observing import Answer
from service.contexts.requests import ObserveRequest
from service.contexts.service import ContextService
from service.errors import ServiceError
from service.observability.request_stats import CURRENT_STATS, RequestStats

REQUESTS_LIMIT = 256
"""Requests in one transaction: other replicas wait for its lock."""
NUMBERS_LIMIT = 2**16
"""Numbers in one transaction of several requests: a large request is learnt alone, and delays none that came before."""

Key = tuple[str, str]
"""Owner and context."""


@dataclass(eq=False)
class WaitingRequest:
    """A request, and the means to answer it from another task."""

    request: ObserveRequest
    size: int
    """Numbers in it."""
    answer: asyncio.Future[Answer]
    stats: RequestStats | None = field(default_factory=CURRENT_STATS.get)
    context: Context = field(default_factory=copy_context)
    """In which it is learnt, so that its statistics count it."""
    submitted: float = field(default_factory=time.monotonic)

    def finish(self, outcome: Answer | BaseException) -> None:
        """Answer it, unless its caller has gone."""
        if self.answer.done():
            return
        if isinstance(outcome, BaseException):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Turn:
    """One transaction of a context: the requests that it takes from its queue, and what became of them.

    Args:
        queue: Of the context; the event loop appends to it meanwhile.
        waiting: Counts the requests that wait.
    """

    def __init__(self, queue: deque[WaitingRequest], waiting: Gauge) -> None:
        self._queue = queue
        self._waiting = waiting
        self._present = len(queue)
        self.begun = time.monotonic()
        self.taken: list[WaitingRequest] = []
        self.outcomes: list[tuple[WaitingRequest, Answer | BaseException]] = []

    def take(self) -> tuple[list[ObserveRequest], list[Context]]:
        """Take as many requests as one transaction learns; called in its thread, once the row is locked."""
        self.begun, size = time.monotonic(), 0
        while self._queue and len(self.taken) < REQUESTS_LIMIT:
            size += self._queue[0].size
            if self.taken and size > NUMBERS_LIMIT:
                break
            self._take_one(self._queue.popleft())
        return [waiting.request for waiting in self.taken], [waiting.context for waiting in self.taken]

    def end(self, outcomes: Sequence[Answer | BaseException]) -> None:
        """Note what became of the requests that were taken."""
        self.outcomes += zip(self.taken, outcomes, strict=True)

    def fail(self, error: BaseException) -> None:
        """Note an error of the transaction: also for the requests that waited for it, if it has taken none."""
        if not self.taken and not self.outcomes:
            self.taken = [self._next() for _ in range(self._present)]
        self.end([error] * len(self.taken))

    def _take_one(self, waiting: WaitingRequest) -> None:
        self._waiting.dec()
        if waiting.answer.cancelled():
            return
        if waiting.stats is not None and self.begun > waiting.stats.deadline:
            self.outcomes.append((waiting, too_late(waiting.stats)))
        else:
            self.taken.append(waiting)

    def _next(self) -> WaitingRequest:
        self._waiting.dec()
        return self._queue.popleft()


class ObservationCombiner:
    """Learns observations; those of one context that come while it is busy are learnt together.

    Args:
        contexts: Has the contexts.
        executor: Runs the transactions, one at a time for each context.
    """

    def __init__(self, contexts: ContextService, executor: Executor) -> None:
        self._contexts = contexts
        self._executor = executor
        self._queues: dict[Key, deque[WaitingRequest]] = {}
        """Of the contexts that are busy."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def observe(self, request: ObserveRequest, size: int) -> Answer:
        """Learn observations, as `ContextService.observe_many` does.

        Args:
            request: Which, and of which context.
            size: Numbers in them.

        Raises:
            ServiceError: The error of the request.
            Overloaded: The deadline of the request passed before its turn came.
        """
        waiting = WaitingRequest(request, size, asyncio.get_running_loop().create_future())
        key = request.owner, request.context_id
        self._executor.waiting.inc()
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = deque([waiting])
            task = asyncio.create_task(self._empty(key, queue), context=Context())  # that of no request
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            queue.append(waiting)
        return await waiting.answer

    async def _empty(self, key: Key, queue: deque[WaitingRequest]) -> None:
        """Learn the requests of a queue, turn by turn, until nothing waits any more."""
        try:
            while queue:
                turn = Turn(queue, self._executor.waiting)
                try:
                    await self._executor.run_for_all(partial(self._learn, key, turn), key[0])
                except asyncio.CancelledError:  # the service ends
                    queue.extend(turn.taken)
                    raise
                except Exception as error:  # noqa: BLE001  (each request raises it)
                    turn.fail(error)
                for waiting, outcome in turn.outcomes:
                    waiting.finish(outcome)
        finally:
            del self._queues[key]
            for waiting in queue:  # none, unless the service ends
                waiting.answer.cancel()

    def _learn(self, key: Key, turn: Turn) -> None:
        """Run one transaction, and a further one for each of its requests if an unexpected error ended it."""
        try:
            turn.end(self._contexts.observe_waiting(key[1], turn.take))
        except ServiceError:
            raise
        except Exception:
            if len(turn.taken) < 2:
                raise
            turn.end([waiting.context.run(self._learn_alone, waiting.request) for waiting in turn.taken])
        finally:
            ended = time.monotonic()
            for waiting in turn.taken:
                waiting.context.run(self._executor.record, waiting.stats, waiting.submitted, turn.begun, ended)

    def _learn_alone(self, request: ObserveRequest) -> Answer | BaseException:
        try:
            return self._contexts.observe_many([request])[0]
        except Exception as error:  # noqa: BLE001  (its request raises it)
            return error
