"""One size in a process of its own: how long it takes to learn and to answer, and the most memory that it took."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.zoo import model_file
from service.contexts.memory import Memory, answer, learn, new_memory
from service.files.prediction_job import rows_at_once
from service.predictor import Context, Limits
from service.runtime import Runtime
from service.shapes import Array

UNLIMITED = Limits(sys.maxsize, sys.maxsize, sys.maxsize)
ENOUGH = 0.3
"""Seconds of repeats, for sizes that take less."""
MOST = 50
"""Repeats."""


@dataclass(frozen=True)
class Point:
    """What is learnt and asked."""

    model: str
    observations: int = 1000
    inputs: int = 10
    outputs: int = 1
    queries: int = 10
    way: Literal["streamed", "at once"] = "at once"
    """Whether the observations are there in chunks, as `gdssm predict` reads them, or as one array."""


@dataclass(frozen=True)
class Cost:
    """What it took."""

    seconds: list[float]
    """Of each repeat; of those that take long there is one."""
    megabytes: float
    """Most resident memory of the process, model and Python included."""


def measure(point: Point) -> Cost:
    """Measure in a new process."""
    command = [sys.executable, "-m", "benchmarks.scale.point", json.dumps(asdict(point))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return Cost(**json.loads(done.stdout))


def timed(point: Point) -> list[float]:
    """Learn and answer in this process, again and again for a while: seconds of each time."""
    runtime = Runtime.load(model_file(point.model))
    query = np.random.default_rng(1).normal(size=(point.queries, point.inputs))
    seconds: list[float] = []
    while sum(seconds) < ENOUGH and len(seconds) < MOST:
        chunks = observations(point)
        start = time.perf_counter()
        answer(runtime, UNLIMITED, streamed(runtime, chunks), query)
        seconds.append(time.perf_counter() - start)
    return seconds


def streamed(runtime: Runtime, chunks: Iterator[Context]) -> Memory:
    """Learn chunk by chunk."""
    memory = new_memory(runtime.manifest, decay=None)
    for chunk in chunks:
        memory = learn(runtime, UNLIMITED, memory, chunk)
    return memory


def chunk_rows(point: Point) -> int:
    """Size of a chunk."""
    return min(point.observations, rows_at_once(point.inputs) if point.way == "streamed" else point.observations)


def observations(point: Point) -> Iterator[Context]:
    """Make observations; the chunks of a stream are one again and again, so that only learning takes time."""
    generator, rows = np.random.default_rng(0), chunk_rows(point)
    x, y = generator.normal(size=(rows, point.inputs)), generator.normal(size=(rows, point.outputs))
    return _repeated(x, y, point.observations)


def _repeated(x: Array, y: Array, observations: int) -> Iterator[Context]:
    for start in range(0, observations, len(x)):
        part = slice(0, observations - start)
        yield Context(x[part], y[part])


def _peak() -> float:
    """Megabytes; of this program alone, where `getrusage` would count what had started it."""
    status = Path("/proc/self/status").read_text()
    kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return kilobytes / 1000


if __name__ == "__main__":
    taken = timed(Point(**json.loads(sys.argv[1])))
    print(json.dumps(asdict(Cost(taken, _peak()))))
