"""What has expired is removed while the service runs, and a database that is away for a while does not end that."""

import threading

import anyio
import pytest

from service.api import sweeping as module
from service.api.sweeping import sweeping
from service.contexts.contexts import Contexts
from service.errors import DatabaseUnavailable


class Swept(Contexts):
    """Contexts on a database that answers every other time."""

    def __init__(self) -> None:
        self.times = 0
        self.enough = threading.Event()

    def sweep(self) -> int:
        self.times += 1
        if self.times == 4:
            self.enough.set()
        if self.times % 2:
            raise DatabaseUnavailable
        return 7


def test_it_sweeps_again_and_again_until_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PERIOD", 0.001)
    contexts = Swept()

    async def serve() -> None:
        async with sweeping(contexts):
            assert await anyio.to_thread.run_sync(contexts.enough.wait, 20)

    anyio.run(serve)
    assert contexts.times >= 4
