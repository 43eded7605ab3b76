"""Tasks for a Ray cluster, and a command that runs them: `python -m tests.service.datasets.on_ray`."""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from service.datasets.ray_engine import RayEngine
from service.errors import InvalidInput, Problem, ServiceError


@dataclass(frozen=True)
class Number:
    """A task."""

    value: int
    size: int = 1


def square(task: Number) -> bytes:
    return str(task.value**2).encode()


def large(task: Number) -> bytes:
    time.sleep(0.1)
    return bytes([task.value]) * 1_000_000


def refuse_three(task: Number) -> bytes:
    if task.value == 3:
        raise InvalidInput(Problem("rows", "has a three."))
    return b""


def die_at_three(task: Number) -> bytes:
    if task.value == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return b""


CASES: dict[str, Callable[[Number], bytes]] = {
    work.__name__: work for work in (square, large, refuse_three, die_at_three)
}


def main(address: str, case: str, count: str) -> None:
    """Run a case with so many tasks, and print places and first bytes, or the error."""
    printed = partial(print, file=sys.stdout, flush=True)  # the engine redirects what Ray prints
    try:
        with RayEngine(address) as engine:
            for place, result in engine.run(CASES[case], [Number(value) for value in range(int(count))]):
                printed(place, result[:20])
    except ServiceError as error:
        printed(type(error).__name__, error)


if __name__ == "__main__":
    main(*sys.argv[1:])
