"""Which sizes are measured: one grows, the others stay."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import numpy as np

from benchmarks.scale.point import Cost, Point, measure

MODELS = ("gd-1", "linear")
STREAMED = "observations, streamed"


@dataclass(frozen=True)
class Sweep:
    """What grows, and through which sizes."""

    title: str
    letter: str
    grows: Literal["observations", "inputs", "outputs", "queries"]
    sizes: Sequence[int]
    way: Literal["streamed", "at once"] = "at once"

    def point(self, model: str, size: int) -> Point:
        """Find the point of one size."""
        point = Point(model, way=self.way)
        return {
            "observations": replace(point, observations=size),
            "inputs": replace(point, inputs=size),
            "outputs": replace(point, outputs=size),
            "queries": replace(point, queries=size),
        }[self.grows]


@dataclass(frozen=True)
class Sizes:
    """All that is measured; a test takes smaller ones."""

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
    """What one size of a sweep took, of one model."""

    title: str
    letter: str
    model: str
    size: int
    seconds: float
    """Median of all repeats."""
    spread: tuple[float, float]
    """Shortest and longest."""
    megabytes: float
    """The larger of all rounds."""


def sweep_all(sizes: Sizes) -> list[Swept]:
    """Measure every size of every sweep, round by round."""
    cases = [(sweep, model, size) for sweep in sizes.sweeps for model, size in product(MODELS, sweep.sizes)]
    costs: list[list[Cost]] = [[] for _ in cases]
    for _ in range(sizes.rounds):
        for (sweep, model, size), found in zip(cases, costs, strict=True):
            found.append(measure(sweep.point(model, size)))
    return [_swept(*case, found) for case, found in zip(cases, costs, strict=True)]


def _swept(sweep: Sweep, model: str, size: int, costs: Sequence[Cost]) -> Swept:
    seconds = [value for cost in costs for value in cost.seconds]
    spread = min(seconds), max(seconds)
    return Swept(
        sweep.title, sweep.letter, model, size, float(np.median(seconds)), spread, max(cost.megabytes for cost in costs)
    )
