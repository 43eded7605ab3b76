"""Periodic work continues after errors until its context is left."""

import logging
import threading

import anyio
import pytest

from service.api.periodic import run_periodically
from service.errors import DatabaseUnavailable


class Work:
    """Raises two different errors, then succeeds."""

    def __init__(self) -> None:
        self.times = 0
        self.enough = threading.Event()

    def __call__(self) -> int:
        self.times += 1
        if self.times == 6:
            self.enough.set()
        if self.times % 3 == 1:
            raise DatabaseUnavailable
        if self.times % 3 == 2:
            raise ZeroDivisionError
        return 7


def test_periodic_work_repeats_until_the_context_manager_exits(caplog: pytest.LogCaptureFixture) -> None:
    work = Work()

    async def serve() -> None:
        async with run_periodically(0.001, work):
            assert await anyio.to_thread.run_sync(work.enough.wait, 20)

    with caplog.at_level(logging.ERROR):
        anyio.run(serve)
    assert work.times >= 6
    assert "ZeroDivisionError" in caplog.text
