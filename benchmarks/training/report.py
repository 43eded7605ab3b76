"""The report on training: tables and a figure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from matplotlib.figure import Figure

from benchmarks.plots import Panel, Points, growth, render, slope
from benchmarks.results import Goal, Result, Table, short_time
from benchmarks.training.convergence import Arrival
from benchmarks.training.step import LOOP, OURS, SCAN

TARGET_RATIO = 100
"""Time of (b) ÷ ours, at least."""
LINEAR = 0.1
"""Largest difference of the power from 1."""
MAX_OPERATORS = 10
"""Operators in the profile."""
FIGURE = "training-growth"
RATIO_REASON = (
    "One layer's matrix products alone are a good part of a hundredth of (b) (profile); further layers repeat them."
)
LINEAR_REASON = "The part that does not depend on N is a good part of a step at N = 100 (profile)."
ARRIVALS = "From random weights (seed 0) to the construction's loss; every step takes the same time:"
PRODUCTS = {"aten::bmm", "aten::baddbmm_"}
OLDER = {
    (10, 10, 64): "2–6 ms",
    (10, 100, 64): "104–208 ms",
    (32, 100, 64): "1.0–2.0 s",
    (64, 100, 64): "4.4–6.3 s",
    (64, 1000, 16): "7.6 s",
}
"""The older JAX code's step by D, N and batch, as the project's issue on speed measured it."""
METHOD = """A step is forward, backward and optimizer, on one batch drawn beforehand. All implementations have the same
weights and find the same loss and gradient (a test compares them): (a) makes every state with the loop over time of
`gdssm/reference.py`, (b) with such a loop for each dimension of the state by itself, as the older JAX code does. D is
the number of inputs, of outputs too for the vector preset, and of learnt features for the sines. Cells: our step, then
how many times as long (a) and (b) take; medians of {rounds} rounds in turn (of a step over half a second: the only
one), one thread for torch. The batch is {batch}; where the states of so many contexts do not fit into memory, all
implementations have the smaller one that is given."""
OLDER_METHOD = """A step of the older JAX code, compiled, on two busy cores of another machine, as the project's
issue on speed measured it (after 4–120 s of compiling), compared with ours here, `{preset}`:"""
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
    """Of a step in every round, by implementation."""

    def ratio(self, implementation: str) -> tuple[float, float, float]:
        """Compare an implementation with ours: medians, then least and largest of any two rounds."""
        ours, theirs = np.array(self.seconds[OURS]), np.array(self.seconds[implementation])
        between = np.divide.outer(theirs, ours)
        return float(np.median(theirs) / np.median(ours)), float(between.min()), float(between.max())

    def cell(self) -> str:
        """Write it into one cell."""
        ratios = ", ".join(f"{self.ratio(implementation)[0]:.3g}×" for implementation in (LOOP, SCAN))
        return f"{short_time(np.median(self.seconds[OURS]))}; {ratios}"


@dataclass(frozen=True)
class Profile:
    """A step's operators at one N: calls, and seconds in each itself."""

    observations: int
    operators: Mapping[str, tuple[float, float]]

    @property
    def seconds(self) -> float:
        """Of all operators."""
        return sum(seconds for _, seconds in self.operators.values())

    def of(self, name: str) -> float:
        """Return the seconds of one; 0 if it never ran."""
        return self.operators.get(name, (0.0, 0.0))[1]

    def cells(self, name: str) -> tuple[str, str, str]:
        """Write one operator into three cells."""
        calls, seconds = self.operators.get(name, (0.0, 0.0))
        return f"{calls:g}", short_time(seconds), f"{seconds / self.seconds:.0%}"

    def product_share(self) -> float:
        """Return the share of the matrix products."""
        return sum(self.of(name) for name in PRODUCTS) / self.seconds


@dataclass(frozen=True)
class TrainingMeasurements:
    """The measurements."""

    cells: Sequence[Cell]
    goal: tuple[int, int]
    """D and N at which (b) is compared with ours."""
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
        """Return the measurements."""
        return {
            "step_seconds": [asdict(cell) for cell in self.cells],
            "goal": self.goal,
            "growth_seconds": {"by_preset": self.growing, "by_features": self.growing_wide},
            "profiles": [asdict(profile) for profile in self.profiles],
            "at_the_older_sizes_seconds": {" ".join(map(str, size)): seconds for size, seconds in self.older.items()},
            "arrivals": [asdict(arrived) for arrived in self.arrivals],
            "rounds": self.rounds,
        }

    def report(self) -> Result:
        """Lay out the measurements."""
        batch = max(cell.batch for cell in self.cells)
        sizes = list(dict.fromkeys(cell.observations for cell in self.cells))
        profiled = [cell for p in self.profiles for cell in (f"N = {p.observations}: calls", "time", "share")]
        older = OLDER_METHOD.format(preset=self.cells[0].preset)
        arrived = ["preset", "within 0.5 % from", "after", "whole run", "loss ÷ descent's"]
        return Result(
            title="Training",
            method=METHOD.format(rounds=self.rounds, batch=batch),
            tables=[
                Table(
                    "", ["preset", "D", *(f"N = {n}: ours; (a), (b)" for n in sizes)], list(self._steps(sizes, batch))
                ),
                Table(_why(*self.profiles), ["operator", *profiled, "times"], list(_operators(*self.profiles))),
                Table(older, ["N", "D", "batch", "older JAX code", "ours"], list(self._older())),
                Table(ARRIVALS, arrived, list(self._arrivals())),
            ],
            goals=list(self._goals()),
            numbers=self.numbers(),
            figures={FIGURE: render(self.figure(), FIGURE)},
        )

    def figure(self) -> Figure:
        """Draw the growth of a step with N."""
        panels = [
            Panel(f"our step, D = {self.goal[0]}", "N", "seconds", self.growing),
            Panel(f"our step, {self.cells[0].preset}", "N", "seconds", self.growing_wide),
        ]
        return growth(panels, columns=2)

    def _steps(self, sizes: Sequence[int], batch: int) -> Iterator[list[str]]:
        rows: dict[tuple[str, int], dict[int, str]] = {}
        for cell in self.cells:
            smaller = f" (batch {cell.batch})" if cell.batch < batch else ""
            rows.setdefault((cell.preset, cell.features), {})[cell.observations] = cell.cell() + smaller
        for (preset, features), row in rows.items():
            yield [preset, str(features), *(row[size] for size in sizes)]

    def _goals(self) -> Iterator[Goal]:
        features, observations = self.goal
        for cell in self.cells:
            if (cell.features, cell.observations) == self.goal:
                ratio, least, largest = cell.ratio(SCAN)
                measure = f"{cell.preset}: (b) ÷ ours at D = {features}, N = {observations}"
                result = f"{ratio:.0f} ({least:.0f} to {largest:.0f})"
                yield Goal(measure, f"≥ {TARGET_RATIO}", result, ratio >= TARGET_RATIO, RATIO_REASON)
        for preset, points in self.growing.items():
            power = slope(points)
            measure = f"{preset}: time of a step from N = {min(points):g} to {max(points):g}, power of N"
            yield Goal(measure, f"1 ± {LINEAR:g}", f"{power:.2f}", abs(power - 1) <= LINEAR, LINEAR_REASON)

    def _older(self) -> Iterator[list[str]]:
        for size, seconds in self.older.items():
            features, observations, batch = map(str, size)
            yield [observations, features, batch, OLDER.get(size, ""), short_time(seconds)]

    def _arrivals(self) -> Iterator[list[str]]:
        for run in self.arrivals:
            soon = run.seconds * run.arrived / run.steps
            times = f"step {run.arrived:,} of {run.steps:,}", f"{soon:.0f} s", f"{run.seconds:.0f} s"
            yield [run.preset, *times, f"{run.metrics['loss_ratio']:.5f}"]


def _why(short: Profile, long: Profile) -> str:
    return WHY.format(
        short=short.product_share(),
        long=long.product_share(),
        few=short.observations,
        many=long.observations,
        longer=long.observations / short.observations,
        grown=long.seconds / short.seconds,
    )


def _operators(short: Profile, long: Profile) -> Iterator[list[str]]:
    """List the operators that take most of the long step."""
    for name in sorted(long.operators, key=long.of, reverse=True)[:MAX_OPERATORS]:
        grown = f"{long.of(name) / short.of(name):.1f}" if short.of(name) else ""
        yield [name.removeprefix("aten::"), *short.cells(name), *long.cells(name), grown]
