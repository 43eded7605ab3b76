import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from prometheus_client import CollectorRegistry, Gauge

from service.api.executor import (
    INLINE_LIMIT,
    INLINE_SECONDS,
    MAX_INLINE_LIMIT,
    MIN_ROW_NUMBERS,
    CostModel,
    Executor,
    numbers_in,
)
from service.errors import Overloaded
from service.observability.request_stats import CURRENT_STATS, RequestStats

THREADS = 2


@pytest.fixture
def waiting() -> Gauge:
    return Gauge("waiting", "Waiting.", registry=CollectorRegistry())


@pytest.fixture
def pool(waiting: Gauge) -> Iterator[Executor]:
    pool = Executor(THREADS, waiting)
    yield pool
    pool.close()


def shown(gauge: Gauge) -> float:
    (metric,) = gauge.collect()
    return metric.samples[0].value


def test_short_work_is_inline_and_other_work_in_a_thread(pool: Executor) -> None:
    async def where(size: int | None) -> int:
        return await pool.run(threading.get_ident, size)

    assert asyncio.run(where(INLINE_LIMIT)) == threading.get_ident()
    assert asyncio.run(where(INLINE_LIMIT + 1)) != threading.get_ident()
    assert asyncio.run(where(None)) != threading.get_ident()


def test_work_with_a_low_measured_cost_is_inline(pool: Executor) -> None:
    def quick() -> int:
        return threading.get_ident()

    def slow() -> int:
        end = time.thread_time() + 2 * INLINE_SECONDS
        while time.thread_time() < end:
            pass
        return threading.get_ident()

    async def where(work: Callable[[], int], size: int, kind: str | None) -> int:
        return await pool.run(work, size, kind)

    def stays(work: Callable[[], int], size: int, kind: str | None) -> bool:
        return asyncio.run(where(work, size, kind)) == threading.get_ident()

    assert not stays(quick, INLINE_LIMIT + 1, "quick"), "its cost is unknown"
    assert stays(quick, INLINE_LIMIT + 1, "quick")
    assert not stays(quick, MAX_INLINE_LIMIT + 1, "quick"), "whatever it took for fewer"
    for _ in range(3):
        assert not stays(slow, INLINE_LIMIT + 1, "slow")
    assert stays(slow, INLINE_LIMIT, "slow"), "a few numbers are always short"
    for _ in range(2):
        assert not stays(quick, INLINE_LIMIT + 1, None), "its kind is unknown"


def test_cost_model_recovers_from_one_slow_run() -> None:
    cost_model = CostModel()
    cost_model.update(2 * INLINE_LIMIT, INLINE_SECONDS / 4)
    assert cost_model.is_short(2 * INLINE_LIMIT)
    cost_model.update(2 * INLINE_LIMIT, INLINE_SECONDS * 100)
    assert not cost_model.is_short(2 * INLINE_LIMIT)
    for _ in range(50):
        cost_model.update(2 * INLINE_LIMIT, INLINE_SECONDS / 4)
    assert cost_model.is_short(2 * INLINE_LIMIT)


def test_size_includes_the_square_matrix_of_columns() -> None:
    assert numbers_in(1, 100) > INLINE_LIMIT
    assert numbers_in(7, 2) == 7 * MIN_ROW_NUMBERS + 4


def test_parallel_work_is_limited_and_the_queue_is_measured(pool: Executor, waiting: Gauge) -> None:
    finish, running, most = threading.Event(), [0], [0]
    lock = threading.Lock()

    def work() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        finish.wait(60)
        with lock:
            running[0] -= 1

    async def all_at_once() -> None:
        tasks = [asyncio.create_task(pool.run(work)) for _ in range(7)]
        while running[0] < THREADS or shown(waiting) != 7 - THREADS:  # noqa: ASYNC110  (threads)
            await asyncio.sleep(0.001)
        finish.set()
        await asyncio.gather(*tasks)

    asyncio.run(asyncio.wait_for(all_at_once(), 60))
    assert most == [THREADS]
    assert shown(waiting) == 0


def test_work_cancelled_before_it_starts_never_runs(pool: Executor, waiting: Gauge) -> None:
    finish, ran = threading.Event(), []

    async def give_up() -> None:
        busy = [asyncio.create_task(pool.run(lambda: finish.wait(60))) for _ in range(THREADS)]
        late = asyncio.create_task(pool.run(lambda: ran.append(1)))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.gather(late, return_exceptions=True)
        finish.set()
        await asyncio.gather(*busy)

    asyncio.run(give_up())
    assert ran == []
    assert shown(waiting) == 0


@pytest.mark.parametrize("size", [1, None])
def test_durations_are_recorded_for_failed_work_too(pool: Executor, size: int | None) -> None:
    stats = RequestStats("id")

    def fail() -> None:
        assert CURRENT_STATS.get() is stats  # also in a thread
        time.sleep(0.02)
        raise KeyError

    async def run() -> None:
        CURRENT_STATS.set(stats)
        with pytest.raises(KeyError):
            await pool.run(fail, size)

    asyncio.run(run())
    assert 0.02 <= stats.compute < 5
    assert 0 <= stats.queue < 5


def test_work_past_its_deadline_is_not_started(pool: Executor) -> None:
    ran = []

    async def run() -> None:
        CURRENT_STATS.set(RequestStats("id", deadline=time.monotonic() - 1))
        await pool.run(lambda: ran.append(1))

    with pytest.raises(Overloaded, match="GDSSM_REQUEST_TIMEOUT"):
        asyncio.run(run())
    assert ran == []


class Body:
    """An object with weak references."""


def test_exceptions_of_threads_are_freed_by_reference_counting(pool: Executor) -> None:
    def fail(_: Body) -> None:
        raise Overloaded("no")

    async def failing() -> weakref.ref[Body]:
        body = Body()
        with pytest.raises(Overloaded):
            await pool.run(partial(fail, body))
        return weakref.ref(body)

    gc.disable()
    try:
        seen = asyncio.run(failing())
        end = time.monotonic() + 60
        while seen() is not None and time.monotonic() < end:
            time.sleep(0.01)  # the thread may still refer to it
        assert seen() is None
    finally:
        gc.enable()


async def asked_by(pool: Executor, key: str, function: Callable[[], object], *, writes: bool = False) -> None:
    CURRENT_STATS.set(RequestStats("id", key_id=key))
    await pool.run(function, writes=writes)


def test_threads_of_one_key_are_limited(waiting: Gauge) -> None:
    pool, go_on = Executor(2, waiting, share=0.5), threading.Event()

    async def crowd() -> None:
        long = [asyncio.create_task(asked_by(pool, "a", go_on.wait)) for _ in range(5)]
        await asyncio.sleep(0)
        await asyncio.wait_for(asked_by(pool, "b", lambda: None), 60)
        assert shown(waiting) == 4
        go_on.set()
        await asyncio.gather(*long)
        assert shown(waiting) == 0

    asyncio.run(crowd())
    pool.close()


def test_reads_do_not_wait_for_writes(pool: Executor) -> None:
    go_on = threading.Event()

    async def crowd() -> None:
        long = [asyncio.create_task(pool.run(go_on.wait, writes=True)) for _ in range(5)]
        await asyncio.sleep(0)
        await asyncio.wait_for(pool.run(lambda: None), 60)
        go_on.set()
        await asyncio.gather(*long)

    asyncio.run(crowd())
