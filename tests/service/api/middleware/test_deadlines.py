"""Deadlines on a shared timer: each wait expires exactly at its deadline."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.middleware.admission import DeadlineScheduler


@dataclass
class Timer:
    """The handle of a scheduled call."""

    time: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Loop:
    """An event loop whose time passes only on request."""

    now: float = 0.0
    timers: list[Timer] = field(default_factory=list)

    def call_at(self, time: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(time, call))
        return self.timers[-1]

    @property
    def pending(self) -> list[Timer]:
        return [timer for timer in self.timers if not timer.cancelled]

    def run_until(self, time: float) -> None:
        """Let time pass, and call due callbacks."""
        while due := [timer for timer in self.pending if timer.time <= time]:
            timer = min(due, key=lambda timer: timer.time)
            self.timers.remove(timer)
            self.now = max(self.now, timer.time)
            timer.call()
        self.now = time


@dataclass(eq=False)
class One:
    """A task with a deadline, which records when it expired."""

    loop: Loop
    deadline: float
    expired: list[float] = field(default_factory=list)

    def expire(self) -> None:
        self.expired.append(self.loop.now)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    loop = Loop()
    monkeypatch.setattr("asyncio.get_running_loop", lambda: loop)
    return loop


def test_waits_expire_at_their_deadlines(loop: Loop) -> None:
    deadlines = DeadlineScheduler()
    waiting = [One(loop, deadline) for deadline in (3.0, 1.0, 5.0, 2.0, 3.0)]
    for one in waiting:
        deadlines.begin(one)
    loop.run_until(10)
    assert [one.expired for one in waiting] == [[3.0], [1.0], [5.0], [2.0], [3.0]]


def test_earlier_deadline_does_not_expire_others_early(loop: Loop) -> None:
    deadlines, late, early = DeadlineScheduler(), One(loop, 5.0), One(loop, 3.0)
    deadlines.begin(late)
    deadlines.begin(early)
    assert [timer.time for timer in loop.pending] == [3.0]
    loop.run_until(4)
    later = One(loop, 9.0)
    deadlines.begin(later)
    assert [timer.time for timer in loop.pending] == [5.0]
    loop.run_until(20)
    assert [one.expired for one in (early, late, later)] == [[3.0], [5.0], [9.0]]


def test_later_deadline_sets_no_timer(loop: Loop) -> None:
    deadlines = DeadlineScheduler()
    for deadline in (1.0, 2.0, 1.0):
        deadlines.begin(One(loop, deadline))
    assert len(loop.timers) == 1


def test_ended_wait_does_not_expire(loop: Loop) -> None:
    deadlines, waiting = DeadlineScheduler(), [One(loop, deadline) for deadline in (1.0, 2.0, 3.0)]
    for one in waiting:
        deadlines.begin(one)
    deadlines.end(waiting[0])
    loop.run_until(2.5)
    deadlines.end(waiting[2])
    loop.run_until(10)
    assert [one.expired for one in waiting] == [[], [2.0], []]
    assert not loop.pending


def test_deadline_set_after_an_idle_timer_expires(loop: Loop) -> None:
    deadlines, first, second = DeadlineScheduler(), One(loop, 1.0), One(loop, 4.0)
    deadlines.begin(first)
    deadlines.end(first)
    loop.run_until(2)
    deadlines.begin(second)
    loop.run_until(10)
    assert (first.expired, second.expired) == ([], [4.0])


TIMES = st.integers(0, 8)


@given(waits=st.lists(st.tuples(TIMES, st.integers(1, 8), TIMES), min_size=1, max_size=8))
def test_any_waits_expire_exactly_at_their_deadlines(waits: list[tuple[int, int, int]]) -> None:
    """A wait is its begin, its time to the deadline, and the time after which it ends unless it has expired."""
    loop = Loop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("asyncio.get_running_loop", lambda: loop)
        deadlines = DeadlineScheduler()
        waiting = [One(loop, begin + wait) for begin, wait, _ in waits]
        for time in range(20):
            loop.run_until(time)
            for one, (begin, _, end) in zip(waiting, waits, strict=True):
                if begin == time:
                    deadlines.begin(one)
                if begin + end == time:
                    deadlines.end(one)
    assert [one.expired for one in waiting] == [[begin + wait] if wait <= end else [] for begin, wait, end in waits]
