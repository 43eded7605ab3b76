"""Tasks for a Ray cluster, and a command that runs them: `python -m tests.service.datasets.on_ray`."""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from service.datasets.ray_engine import RayEngine
from service.errors import InvalidInput, Problem, ServiceError


@dataclass(frozen=True)
class Number:
    """A task."""

    value: int
    folder: Path
    """Where tasks may write."""
    size: int = 1


def square(task: Number) -> bytes:
    return str(task.value**2).encode()


def large(task: Number) -> bytes:
    """Take some time, append the value and the node to a file, and return a result that stays on the node."""
    import ray  # noqa: PLC0415  (as the engine, which sets its environment first)

    time.sleep(0.2)
    with (task.folder / "runs").open("a", encoding="ascii") as file:
        file.write(f"{task.value} {ray.util.get_node_ip_address()}\n")
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


def main(address: str, case: str, count: str, folder: str) -> None:
    """Run a case with so many tasks, and print places and first bytes, or the error.

    After the first result it waits for a line of its input.
    """
    printed = partial(print, file=sys.stdout, flush=True)  # the engine redirects what Ray prints
    try:
        with RayEngine(address) as engine:
            tasks = [Number(value, Path(folder)) for value in range(int(count))]
            for number, (place, result) in enumerate(engine.run(CASES[case], tasks)):
                printed(place, result[:20])
                if number == 0:
                    sys.stdin.readline()
    except ServiceError as error:
        printed(type(error).__name__, error)


if __name__ == "__main__":
    main(*sys.argv[1:])
