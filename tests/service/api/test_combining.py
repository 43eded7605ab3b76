"""Observations that wait for one context are learnt together; what each caller gets is as if it had come alone."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Any, cast

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Gauge

from service.api.combining import NUMBERS_LIMIT, REQUESTS_LIMIT, ObservationCombiner
from service.api.executor import Executor
from service.contexts.records import ContextRecord
from service.contexts.requests import ObserveRequest
from service.contexts.service import ContextService
from service.errors import DatabaseUnavailable, InvalidInput, Overloaded, Problem, ServiceError
from service.inference.predictor import Observations
from service.observability.request_stats import CURRENT_STATS, RequestStats
from tests.nonempty import nonempty

Answer = ContextRecord | ServiceError
Take = Callable[[], tuple[Sequence[ObserveRequest], Sequence[Context]]]
TIMEOUT = 60.0


class Stored:
    """Learns nothing, and answers with the number of the request; the test opens every transaction."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.started = threading.Semaphore(0)
        self.may_take = threading.Semaphore(0)
        self.errors: dict[str, Exception] = {}
        self.broken: Exception | None = None
        self.threads = 0
        self.most_threads = 0

    def observe_waiting(self, _context_id: str, take: Take) -> list[Answer]:
        self.threads += 1
        self.most_threads = max(self.most_threads, self.threads)
        try:
            self.started.release()
            assert self.may_take.acquire(timeout=TIMEOUT)
            if self.broken is not None:
                raise self.broken
            requests, variables = take()
            self.batches.append([name_of(request) for request in requests])
            return [own.run(self._answer, request) for request, own in zip(requests, variables, strict=True)]
        finally:
            self.threads -= 1

    def observe_many(self, requests: Sequence[ObserveRequest]) -> list[Answer]:
        self.batches.append(["alone"])
        return [self._answer(one) for one in requests]

    def _answer(self, request: ObserveRequest) -> Answer:
        stats = CURRENT_STATS.get()
        if stats is not None:
            stats.observations += 1
        error = self.errors.get(name_of(request))
        if isinstance(error, ServiceError):
            return error
        if error is not None:
            raise error
        return cast("ContextRecord", name_of(request))


def name_of(request: ObserveRequest) -> str:
    assert isinstance(request.new, Observations)
    return f"{request.new.x[0, 0]:g}"


def request(name: int, context_id: str = "a", owner: str = "") -> ObserveRequest:
    return ObserveRequest(owner, context_id, Observations(np.full((1, 1), float(name)), np.zeros(1), None))


@pytest.fixture
def waiting() -> Gauge:
    return Gauge("waiting", "Waiting.", registry=CollectorRegistry())


@pytest.fixture
def stored() -> Stored:
    return Stored()


@pytest.fixture
def combiner(stored: Stored, waiting: Gauge) -> Iterator[ObservationCombiner]:
    executor = Executor(2, waiting, share=0.5)
    yield ObservationCombiner(cast("ContextService", stored), executor)
    for _ in range(10):
        stored.may_take.release()
    executor.close()


async def begin(combiner: ObservationCombiner, *requests: ObserveRequest, size: int = 1) -> "list[asyncio.Task[Any]]":
    tasks = [asyncio.create_task(combiner.observe(one, size)) for one in requests]
    await asyncio.sleep(0)
    return tasks


async def until(semaphore: threading.Semaphore) -> None:
    assert await asyncio.to_thread(semaphore.acquire, timeout=TIMEOUT)


async def outcomes(tasks: "list[asyncio.Task[Any]]") -> list[Any]:
    return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), TIMEOUT)


def shown(gauge: Gauge) -> float:
    (metric,) = gauge.collect()
    return metric.samples[0].value


def test_requests_are_taken_in_their_order_at_their_turn(combiner: ObservationCombiner, stored: Stored) -> None:
    async def scenario() -> list[Any]:
        first = await begin(combiner, request(1))
        await until(stored.started)
        meanwhile = await begin(combiner, request(2), request(3))
        stored.may_take.release()
        return await outcomes(first + meanwhile)

    assert asyncio.run(scenario()) == ["1", "2", "3"]
    assert stored.batches == [["1", "2", "3"]]


def test_requests_that_come_during_a_transaction_are_learnt_in_the_next(
    combiner: ObservationCombiner, stored: Stored
) -> None:
    async def scenario() -> list[Any]:
        stored.may_take.release()
        first = await begin(combiner, request(1))
        await outcomes(first)
        second = await begin(combiner, request(2))
        await until(stored.started)
        later = await begin(combiner, request(3), request(4))
        stored.may_take.release()
        stored.may_take.release()
        return await outcomes(second + later)

    assert asyncio.run(scenario()) == ["2", "3", "4"]
    assert stored.batches == [["1"], ["2", "3", "4"]]


def test_an_error_of_one_request_is_its_own(combiner: ObservationCombiner, stored: Stored) -> None:
    stored.errors["2"] = InvalidInput(Problem("x", "is wrong."))

    async def scenario() -> list[Any]:
        tasks = await begin(combiner, request(1), request(2), request(3))
        stored.may_take.release()
        return await outcomes(tasks)

    assert asyncio.run(scenario()) == ["1", stored.errors["2"], "3"]


def test_an_unexpected_error_is_that_of_the_request_that_caused_it(
    combiner: ObservationCombiner, stored: Stored
) -> None:
    stored.errors["2"] = ZeroDivisionError()

    async def scenario() -> list[Any]:
        tasks = await begin(combiner, request(1), request(2), request(3))
        stored.may_take.release()
        return await outcomes(tasks)

    assert asyncio.run(scenario()) == ["1", stored.errors["2"], "3"]
    assert stored.batches == [["1", "2", "3"], *[["alone"]] * 3]


def test_a_database_that_does_not_answer_fails_those_that_waited_for_it(
    combiner: ObservationCombiner, stored: Stored, waiting: Gauge
) -> None:
    stored.broken = DatabaseUnavailable("gone")

    async def scenario() -> list[Any]:
        tasks = await begin(combiner, request(1), request(2))
        await until(stored.started)
        later = await begin(combiner, request(3))
        stored.may_take.release()
        found = await outcomes(tasks)
        await until(stored.started)
        stored.broken = None
        stored.may_take.release()
        return found + await outcomes(later)

    *failed, last = asyncio.run(scenario())
    assert [type(error) for error in failed] == [DatabaseUnavailable] * 2
    assert last == "3"
    assert shown(waiting) == 0


def test_a_caller_that_leaves_before_its_turn_changes_nothing(
    combiner: ObservationCombiner, stored: Stored, waiting: Gauge
) -> None:
    async def scenario() -> list[Any]:
        tasks = await begin(combiner, request(1), request(2), request(3))
        await until(stored.started)
        tasks[0].cancel()
        tasks[1].cancel()
        await asyncio.sleep(0)
        stored.may_take.release()
        return await outcomes(tasks)

    first, second, third = asyncio.run(scenario())
    assert (type(first), type(second), third) == (asyncio.CancelledError, asyncio.CancelledError, "3")
    assert stored.batches == [["3"]]
    assert shown(waiting) == 0


def test_a_caller_that_leaves_during_its_turn_leaves_the_others_their_answers(
    combiner: ObservationCombiner, stored: Stored
) -> None:
    taken, go_on = threading.Event(), threading.Event()
    inner = stored._answer

    def slow(one: ObserveRequest) -> Answer:
        taken.set()
        assert go_on.wait(TIMEOUT)
        return inner(one)

    stored._answer = slow  # type: ignore[method-assign,assignment]

    async def scenario() -> list[Any]:
        tasks = await begin(combiner, request(1), request(2))
        stored.may_take.release()
        await asyncio.to_thread(taken.wait, TIMEOUT)
        tasks[0].cancel()
        await asyncio.sleep(0)
        go_on.set()
        return await outcomes(tasks)

    first, second = asyncio.run(scenario())
    assert (type(first), second) == (asyncio.CancelledError, "2")


def test_a_request_past_its_deadline_is_refused_and_not_learnt(combiner: ObservationCombiner, stored: Stored) -> None:
    async def late() -> object:
        CURRENT_STATS.set(RequestStats("late", deadline=time.monotonic() - 1))
        return await combiner.observe(request(1), 1)

    async def scenario() -> list[Any]:
        tasks = [asyncio.create_task(late()), *await begin(combiner, request(2))]
        stored.may_take.release()
        return await outcomes(tasks)

    refused, answered = asyncio.run(scenario())
    assert (type(refused), answered) == (Overloaded, "2")
    assert stored.batches == [["2"]]


def test_each_request_has_its_own_times_and_counts(combiner: ObservationCombiner, stored: Stored) -> None:
    stats = [RequestStats(str(number)) for number in range(3)]

    async def counted(number: int) -> object:
        CURRENT_STATS.set(stats[number])
        return await combiner.observe(request(number), 1)

    async def scenario() -> None:
        tasks = [asyncio.create_task(counted(number)) for number in range(3)]
        await until(stored.started)
        stored.may_take.release()
        await outcomes(tasks)

    asyncio.run(scenario())
    assert [of.observations for of in stats] == [1, 1, 1]
    assert all(of.queue > 0 and of.compute > 0 for of in nonempty(stats))


def test_a_large_request_is_learnt_alone(combiner: ObservationCombiner, stored: Stored) -> None:
    async def scenario() -> None:
        tasks = await begin(combiner, request(1))
        tasks += await begin(combiner, request(2), size=NUMBERS_LIMIT)
        tasks += await begin(combiner, request(3), request(4))
        for _ in range(3):
            stored.may_take.release()
        await outcomes(tasks)

    asyncio.run(scenario())
    assert stored.batches == [["1"], ["2"], ["3", "4"]]


def test_one_transaction_learns_a_limited_number_of_requests(combiner: ObservationCombiner, stored: Stored) -> None:
    async def scenario() -> None:
        tasks = await begin(combiner, *map(request, range(REQUESTS_LIMIT + 1)))
        stored.may_take.release()
        stored.may_take.release()
        await outcomes(tasks)

    asyncio.run(scenario())
    assert [len(batch) for batch in stored.batches] == [REQUESTS_LIMIT, 1]


def test_contexts_do_not_wait_for_each_other_but_for_the_share_of_their_key(
    combiner: ObservationCombiner, stored: Stored
) -> None:
    async def scenario() -> None:
        tasks = await begin(combiner, request(1, "a"), request(2, "b"), request(3, "c", "k"), request(4, "d", "k"))
        await until(stored.started)
        await until(stored.started)
        for _ in range(4):
            stored.may_take.release()
        assert sorted(await outcomes(tasks)) == ["1", "2", "3", "4"]

    asyncio.run(scenario())
    assert stored.most_threads == 2
    assert len(stored.batches) == 4


def test_requests_end_with_the_service(stored: Stored, waiting: Gauge) -> None:
    executor = Executor(1, waiting)
    combiner = ObservationCombiner(cast("ContextService", stored), executor)

    async def scenario() -> None:
        blocking = await begin(combiner, request(1, "a"))
        await until(stored.started)
        tasks = await begin(combiner, request(2, "b"), request(3, "b"))
        await asyncio.sleep(0)
        executor.close()
        stored.may_take.release()
        assert await outcomes(blocking) == ["1"]
        found = await outcomes(tasks)
        assert [type(one) for one in found] == [asyncio.CancelledError] * 2

    with suppress(RuntimeError):
        asyncio.run(scenario())
