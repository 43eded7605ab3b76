"""What is told of the training: tables with their goals, and a figure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from matplotlib.figure import Figure

from benchmarks.convergence import Arrival
from benchmarks.plots import Panel, Points, growth, slope
from benchmarks.table import markdown
from benchmarks.training.contestants import LOOP, OURS, SCAN

LEAST = 100
"""Times (b), of the goal."""
LINEAR = 0.1
"""How far the slope may be from 1."""
SHOWN = 10
"""Operators in the profile."""
PRODUCTS = {"aten::bmm", "aten::baddbmm_"}
OLDER = {
    (10, 10, 64): "2–6 ms",
    (10, 100, 64): "104–208 ms",
    (32, 100, 64): "1.0–2.0 s",
    (64, 100, 64): "4.4–6.3 s",
    (64, 1000, 16): "7.6 s",
}
"""The older JAX code's step by D, N and batch, as the project's issue on speed measured it."""
HOW = """A step is forward, backward and optimizer, on one batch drawn beforehand. All contestants have the same
weights and find the same loss and gradient (a test holds them to it): (a) makes every state with the loop over time of
`gdssm/reference.py`, (b) with such a loop for each dimension of the state by itself, as the older JAX code does. D is
the number of inputs, of outputs too for the vector preset, and of learnt features for the sines. Cells: our step, then
how many times as long (a) and (b) take; medians of {rounds} rounds in turn (of a step over half a second: the only
one), one thread for torch. The batch is {batch}; where all states of so many contexts cannot be held, for everyone the
smaller one that is given."""
OLDER_HOW = """For scale, a step of the older JAX code, compiled, on two busy cores of another machine, as the project's
issue on speed measured it (after 4–120 s of compiling), beside ours here, `{preset}`:"""
WHY = """The profile says why. The matrix products of all contexts with Λ's powers, one for each position, are
{short:.0%} of a step at N = {few} and {long:.0%} at N = {many}; the rest is a fixed number of passes over the sequence.
So {longer:.0f} times the positions are {grown:.1f} times the work: what does not depend on N (optimizer, P, read-out)
pulls it below {longer:.0f}, a sequence that has outgrown the processor's caches pushes it above."""


@dataclass(frozen=True)
class Cell:
    """One preset at one size."""

    preset: str
    features: int
    observations: int
    batch: int
    seconds: Mapping[str, Sequence[float]]
    """Of a step in every round, by contestant."""

    def ratio(self, contestant: str) -> tuple[float, float, float]:
        """Compare a contestant with ours: medians, then least and largest of any two rounds."""
        ours, theirs = np.array(self.seconds[OURS]), np.array(self.seconds[contestant])
        between = np.divide.outer(theirs, ours)
        return float(np.median(theirs) / np.median(ours)), float(between.min()), float(between.max())

    def told(self) -> str:
        """Write it into one cell."""
        ratios = ", ".join(f"{self.ratio(contestant)[0]:.3g}×" for contestant in (LOOP, SCAN))
        return f"{_time(np.median(self.seconds[OURS]))}; {ratios}"


@dataclass(frozen=True)
class Profile:
    """A step's operators at one N: calls, and seconds in each itself."""

    observations: int
    operators: Mapping[str, tuple[float, float]]

    @property
    def seconds(self) -> float:
        """Of all of them."""
        return sum(seconds for _, seconds in self.operators.values())

    def of(self, name: str) -> float:
        """Seconds of one; none if it never ran."""
        return self.operators.get(name, (0.0, 0.0))[1]

    def told(self, name: str) -> tuple[str, str, str]:
        """Write one into three cells."""
        calls, seconds = self.operators.get(name, (0.0, 0.0))
        return f"{calls:g}", _time(seconds), f"{seconds / self.seconds:.0%}"

    def products(self) -> float:
        """The share of the matrix products."""
        return sum(self.of(name) for name in PRODUCTS) / self.seconds


@dataclass(frozen=True)
class Found:
    """Everything that was measured."""

    cells: Sequence[Cell]
    goal: tuple[int, int]
    """D and N at which (b) is held against us."""
    growing: Mapping[str, Points]
    """Seconds of our step by N, for each preset at the goal's D."""
    growing_wide: Mapping[str, Points]
    """The same of the first preset, for each D."""
    profiles: Sequence[Profile]
    """A short one and a long one."""
    older: Mapping[tuple[int, int, int], float]
    """Seconds of our step at the sizes of `OLDER`."""
    arrivals: Sequence[Arrival]
    rounds: int

    def numbers(self) -> dict[str, object]:
        """Lay it out for JSON."""
        return {
            "step_seconds": [asdict(cell) for cell in self.cells],
            "growth_seconds": {"by_preset": self.growing, "by_features": self.growing_wide},
            "profiles": [asdict(profile) for profile in self.profiles],
            "at_the_older_sizes_seconds": {" ".join(map(str, size)): seconds for size, seconds in self.older.items()},
            "arrivals": [asdict(arrived) for arrived in self.arrivals],
        }

    def figures(self) -> dict[str, Figure]:
        """Draw the growth."""
        panels = [
            Panel(f"our step, D = {self.goal[0]}", "N", "seconds", self.growing),
            Panel(f"our step, {self.cells[0].preset}", "N", "seconds", self.growing_wide),
        ]
        return {"training-growth": growth(panels, columns=2)}

    def section(self) -> str:
        """Write the section."""
        batch = max(cell.batch for cell in self.cells)
        sizes = list(dict.fromkeys(cell.observations for cell in self.cells))
        profiled = [cell for p in self.profiles for cell in (f"N = {p.observations}: calls", "time", "share")]
        return "\n".join(
            [
                "## Training\n",
                HOW.format(rounds=self.rounds, batch=batch) + "\n",
                markdown(
                    ["preset", "D", *(f"N = {size}: ours; (a), (b)" for size in sizes)], self._steps(sizes, batch)
                ),
                "![Time of a step against N](training-growth.svg)\n",
                markdown(["goal", "preset", "measured", ""], self._goals()),
                _why(*self.profiles),
                markdown(["operator", *profiled, "times"], _operators(*self.profiles)),
                OLDER_HOW.format(preset=self.cells[0].preset) + "\n",
                markdown(["N", "D", "batch", "older JAX code", "ours"], self._older()),
                "From random weights (seed 0) to the construction's loss, where all steps take the same time:\n",
                markdown(["preset", "within 0.5 % from", "after", "whole run", "loss / descent's"], self._arrivals()),
            ]
        )

    def _steps(self, sizes: Sequence[int], batch: int) -> Iterator[list[str]]:
        told: dict[tuple[str, int], dict[int, str]] = {}
        for cell in self.cells:
            smaller = f" (batch {cell.batch})" if cell.batch < batch else ""
            told.setdefault((cell.preset, cell.features), {})[cell.observations] = cell.told() + smaller
        for (preset, features), row in told.items():
            yield [preset, str(features), *(row[size] for size in sizes)]

    def _goals(self) -> Iterator[list[str]]:
        features, observations = self.goal
        for cell in self.cells:
            if (cell.features, cell.observations) == self.goal:
                ratio, least, largest = cell.ratio(SCAN)
                goal = f"at least {LEAST} times (b) at D = {features}, N = {observations}"
                yield [goal, cell.preset, f"{ratio:.0f} ({least:.0f} to {largest:.0f})", _met(ratio >= LEAST)]
        for preset, points in self.growing.items():
            grown = slope(points)
            goal = f"linear in N: slope 1 from N = {min(points)} to {max(points)}"
            yield [goal, preset, f"{grown:.2f}", _met(abs(grown - 1) <= LINEAR)]

    def _older(self) -> Iterator[list[str]]:
        for size, seconds in self.older.items():
            features, observations, batch = map(str, size)
            yield [observations, features, batch, OLDER.get(size, ""), _time(seconds)]

    def _arrivals(self) -> Iterator[list[str]]:
        for run in self.arrivals:
            soon = run.seconds * run.arrived / run.steps
            times = f"step {run.arrived:,} of {run.steps:,}", f"{soon:.0f} s", f"{run.seconds:.0f} s"
            yield [run.preset, *times, f"{run.metrics['loss_ratio']:.5f}"]


def _why(short: Profile, long: Profile) -> str:
    told = WHY.format(
        short=short.products(),
        long=long.products(),
        few=short.observations,
        many=long.observations,
        longer=long.observations / short.observations,
        grown=long.seconds / short.seconds,
    )
    return f"{told}\n"


def _operators(short: Profile, long: Profile) -> Iterator[list[str]]:
    """The operators that take most of the long step."""
    for name in sorted(long.operators, key=long.of, reverse=True)[:SHOWN]:
        grown = f"{long.of(name) / short.of(name):.1f}" if short.of(name) else ""
        yield [name.removeprefix("aten::"), *short.told(name), *long.told(name), grown]


def _met(met: bool) -> str:
    return "met" if met else "**not met**"


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"
