"""Time and peak memory of one size, each in a new process (`python -m benchmarks.scale_sizes`), and all sizes."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from typing import Literal

import numpy as np

from benchmarks.models import runtime_of
from benchmarks.processes import kilobytes
from benchmarks.timing import in_turn
from service.inference.checks import UNLIMITED
from service.inference.predictor import Observations
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.states.context_state import ContextState, answer, new_state
from service.states.learning import learn
from service.tables.predicting import rows_in_chunk

REPEAT_SECONDS, MAX_REPEATS = 0.3, 50
"""Repeats end after either."""
MODELS = ("gd-1", "linear")
STREAMED = "observations, streamed"


@dataclass(frozen=True)
class Point:
    """The sizes of one measurement."""

    model: str
    observations: int = 1000
    inputs: int = 10
    outputs: int = 1
    queries: int = 10
    way: Literal["streamed", "at once"] = "at once"
    """Whether observations arrive in chunks, as `gdssm predict` reads them, or as one array."""


@dataclass(frozen=True)
class PointCost:
    """Time and memory of one measurement."""

    seconds: list[float]
    """Of each repeat; slow measurements have one."""
    megabytes: float
    """Peak resident memory of the process, model and Python included."""


def measure(point: Point) -> PointCost:
    """Measure in a new process."""
    command = [sys.executable, "-m", "benchmarks.scale_sizes", json.dumps(asdict(point))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return PointCost(**json.loads(done.stdout))


def timed(point: Point) -> list[float]:
    """Learn and answer in this process repeatedly: seconds of each time."""
    runtime = runtime_of(point.model)
    query = np.random.default_rng(1).normal(size=(point.queries, point.inputs))
    seconds: list[float] = []
    while sum(seconds) < REPEAT_SECONDS and len(seconds) < MAX_REPEATS:
        chunks = observations(point)
        start = time.perf_counter()
        answer(runtime, UNLIMITED, streamed(runtime, chunks), query)
        seconds.append(time.perf_counter() - start)
    return seconds


def streamed(runtime: Runtime, chunks: Iterator[Observations]) -> ContextState:
    """Learn chunk by chunk."""
    memory = new_state(runtime.manifest, decay=None)
    for chunk in chunks:
        memory = learn(runtime, UNLIMITED, memory, chunk)
    return memory


def chunk_rows(point: Point) -> int:
    """Size of a chunk."""
    return min(point.observations, rows_in_chunk(point.inputs + 1) if point.way == "streamed" else point.observations)


def observations(point: Point) -> Iterator[Observations]:
    """Make observations; the chunks of a stream are one chunk, repeated, so that only learning takes time."""
    generator, rows = np.random.default_rng(0), chunk_rows(point)
    x, y = generator.normal(size=(rows, point.inputs)), generator.normal(size=(rows, point.outputs))
    return _repeated(x, y, point.observations)


def _repeated(x: Array, y: Array, observations: int) -> Iterator[Observations]:
    for start in range(0, observations, len(x)):
        part = slice(0, observations - start)
        yield Observations(x[part], y[part])


@dataclass(frozen=True)
class Sweep:
    """The size that grows, and its values."""

    title: str
    letter: str
    grows: Literal["observations", "inputs", "outputs", "queries"]
    sizes: Sequence[int]
    way: Literal["streamed", "at once"] = "at once"

    def point(self, model: str, size: int) -> Point:
        """Return the point of one size."""
        point = Point(model, way=self.way)
        return {
            "observations": replace(point, observations=size),
            "inputs": replace(point, inputs=size),
            "outputs": replace(point, outputs=size),
            "queries": replace(point, queries=size),
        }[self.grows]


@dataclass(frozen=True)
class Sizes:
    """All sizes that are measured."""

    sweeps: Sequence[Sweep] = (
        Sweep(STREAMED, "N", "observations", [10**power for power in range(2, 8)], "streamed"),
        Sweep("observations at once", "N", "observations", [10**power for power in range(2, 7)]),
        Sweep("columns of x", "D", "inputs", [1, 4, 16, 64, 256, 512]),
        Sweep("columns of y", "K", "outputs", [1, 4, 16, 64, 256]),
        Sweep("queries", "M", "queries", [1, 10, 100, 1000, 10_000, 100_000]),
    )
    rounds: int = 2
    contexts: Sequence[int] = (1, 10, 100, 1000, 10_000, 100_000)
    context_rounds: int = 100
    seen: tuple[int, int] = (10, 10_000_000)
    one_more_rounds: int = 2000


@dataclass(frozen=True)
class Swept:
    """The cost of one size of a sweep, of one model."""

    title: str
    letter: str
    model: str
    size: int
    seconds: float
    """Median of all repeats."""
    spread: tuple[float, float]
    """Shortest and longest."""
    megabytes: float
    """The largest of all rounds."""


def sweep_all(sizes: Sizes) -> list[Swept]:
    """Measure every size of every sweep, round by round."""
    cases = [(sweep, model, size) for sweep in sizes.sweeps for model, size in product(MODELS, sweep.sizes)]
    costs: list[list[PointCost]] = [[] for _ in cases]
    for _ in range(sizes.rounds):
        for (sweep, model, size), found in zip(cases, costs, strict=True):
            found.append(measure(sweep.point(model, size)))
    return [_swept(*case, found) for case, found in zip(cases, costs, strict=True)]


def _swept(sweep: Sweep, model: str, size: int, costs: Sequence[PointCost]) -> Swept:
    seconds = [value for cost in costs for value in cost.seconds]
    spread = min(seconds), max(seconds)
    return Swept(
        sweep.title, sweep.letter, model, size, float(np.median(seconds)), spread, max(cost.megabytes for cost in costs)
    )


def one_more(model: str, seen: Sequence[int], rounds: int) -> dict[int, list[float]]:
    """Learn one pair after each of some counts of observations, in turn: seconds of each time by count."""
    runtime = runtime_of(model)
    memories = {count: streamed(runtime, observations(Point(model, count, way="streamed"))) for count in seen}
    generator = np.random.default_rng(2)
    pair = Observations(generator.normal(size=(1, Point.inputs)), generator.normal(size=(1, Point.outputs)))
    calls = {count: partial(learn, runtime, UNLIMITED, memory, pair) for count, memory in memories.items()}
    return in_turn(calls, rounds)


if __name__ == "__main__":
    taken = timed(Point(**json.loads(sys.argv[1])))
    print(json.dumps(asdict(PointCost(taken, kilobytes("VmHWM") / 1000))))
