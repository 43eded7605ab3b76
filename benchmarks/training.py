"""Time of a step of training compared with two plain implementations, its growth, and convergence of the presets."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product

import numpy as np
import torch
from matplotlib.figure import Figure
from torch.profiler import ProfilerActivity, profile

from benchmarks.plots import Panel, Points, growth, render, slope
from benchmarks.presets import Arrival
from benchmarks.results import Goal, Result, Table, short_time
from gdssm import reference
from gdssm.evaluation.tasks.linear import Linear
from gdssm.notation import Inputs, Outputs, Predictions, Queries
from gdssm.stack import GDSSM
from gdssm.train.batches import draw
from gdssm.train.config import TrainConfig
from gdssm.train.loop import initial, keep_freed_memory
from gdssm.train.optimizer import Optimizer
from gdssm.train.presets import LINEAR, PRESETS, VECTOR

SLOW_SECONDS = 0.5
"""An implementation whose step takes longer takes one step only."""
SPELL_SECONDS = 0.1
"""For which a fast step is repeated in each round."""
PROFILED_STEPS = 10

Forward = Callable[[GDSSM, Inputs, Outputs, Queries], Predictions]


def literal_loop(stack: GDSSM, x: Inputs, y: Outputs, x_query: Queries) -> Predictions:
    """Make every state with the loop over time of `gdssm.reference`, answer at every position, and return the last."""
    window = stack.windows(x, y, x_query)
    update = stack.input_gate(window)
    states = reference.recurrence(stack.decay.expand_as(update[:1]), update, torch.zeros_like(update[:, 0]))
    return stack.read_all(window, states)[:, -1:]


def per_dimension(stack: GDSSM, x: Inputs, y: Outputs, x_query: Queries) -> Predictions:
    """Do the same with a recurrence over time for each dimension of the state by itself, one after the other."""
    window = stack.windows(x, y, x_query)
    mixed = stack.input_gate.mix(window)
    rows = []
    for tokens, decay in zip(window.unbind(-1), stack.decay, strict=True):
        update = (tokens[..., None] * mixed).sum(2)
        rows.append(reference.recurrence(decay.expand_as(update[:1]), update, torch.zeros_like(update[:, 0])))
    return stack.read_all(window, torch.stack(rows, dim=2))[:, -1:]


OURS, LOOP, SCAN = "gdssm", "(a) loop", "(b) per dimension"
IMPLEMENTATIONS: Mapping[str, Forward] = {OURS: GDSSM.__call__, LOOP: literal_loop, SCAN: per_dimension}


class Trainer:
    """A preset at its first batch, with the weights that its seed draws.

    Args:
        config: The preset.
        forward: The implementation.
    """

    def __init__(self, config: TrainConfig, forward: Forward) -> None:
        self.forward = forward
        self.stack = initial(config)
        self.optimizer = Optimizer(self.stack, config)
        self.batch = draw(config, 0)

    def loss(self) -> torch.Tensor:
        """Compute the loss of the training."""
        prediction = self.forward(self.stack, self.batch.x, self.batch.y, self.batch.x_query)
        return 0.5 * (prediction - self.batch.y_query).square().mean()

    def step(self) -> None:
        """Run forward, backward and the optimizer."""
        torch.autograd.backward(self.loss())
        self.optimizer.step(0)

    def spell(self) -> float:
        """Take steps for `SPELL_SECONDS`: seconds of one, on average."""
        count, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < SPELL_SECONDS or not count:
            self.step()
            count += 1
        return spent / count


def compare(config: TrainConfig, forwards: Mapping[str, Forward], rounds: int) -> dict[str, list[float]]:
    """Time the implementations in turn, round by round.

    Returns:
        Seconds of a step in every round by implementation; a slow implementation has its first step only.
    """
    trainers = {name: Trainer(config, forward) for name, forward in forwards.items()}
    first = {name: _first(trainer) for name, trainer in trainers.items()}
    seconds: dict[str, list[float]] = {name: [spent] if spent > SLOW_SECONDS else [] for name, spent in first.items()}
    for _ in range(rounds):
        for name, trainer in trainers.items():
            if first[name] <= SLOW_SECONDS:
                seconds[name].append(trainer.spell())
    return seconds


def _first(trainer: Trainer) -> float:
    start = time.perf_counter()
    trainer.step()
    return time.perf_counter() - start


def operators(config: TrainConfig) -> Mapping[str, tuple[float, float]]:
    """Return the calls of each operator in a step, and the seconds in itself without the operators that it calls."""
    trainer = Trainer(config, IMPLEMENTATIONS[OURS])
    trainer.step()
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(PROFILED_STEPS):
            trainer.step()
    return {
        event.key: (event.count / PROFILED_STEPS, event.self_cpu_time_total * 1e-6 / PROFILED_STEPS)
        for event in profiled.key_averages()
    }


TARGET_RATIO = 100
"""Time of (b) ÷ ours, at least."""
POWER_TOLERANCE = 0.1
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
            yield Goal(
                measure, f"1 ± {POWER_TOLERANCE:g}", f"{power:.2f}", abs(power - 1) <= POWER_TOLERANCE, LINEAR_REASON
            )

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


MAX_STATE_ENTRIES = 30_000_000
"""Of all states of a batch, which (a) and (b) store several times."""


@dataclass(frozen=True)
class Sizes:
    """The presets and sizes that are measured."""

    presets: Sequence[str] = tuple(PRESETS)
    observations: Sequence[int] = (10, 100, 1000)
    """N."""
    features: Sequence[int] = (10, 32, 64)
    """D, and K as well where y is a vector; the width of the learnt features where there are such."""
    batch: int = 64
    """Contexts, where the states of so many fit into memory."""
    growing: Sequence[int] = (100, 200, 500, 1000)
    """N in the fit of growth."""
    goal: tuple[int, int] = (32, 100)
    """D and N of the goal; D of the profiles too."""
    profiled: tuple[int, int] = (100, 1000)
    """N in the profiles."""
    older: Sequence[tuple[int, int, int]] = ((10, 10, 64), (10, 100, 64), (32, 100, 64), (64, 100, 64), (64, 1000, 16))
    """D, N and batch that the older code was measured with."""
    rounds: int = 2
    arriving: Sequence[str] = (LINEAR.name, VECTOR.name)
    """One-layer presets that are trained to their end."""


def sized(preset: str, features: int, observations: int, batch: int) -> TrainConfig:
    """Return a preset of another size."""
    config = PRESETS[preset]
    model, task = config.model, config.task
    if model.feature_widths:
        model = replace(model, feature_widths=(*model.feature_widths[:-1], features))
    else:
        outputs = features if model.outputs > 1 else 1
        model, task = replace(model, inputs=features, outputs=outputs), Linear(inputs=features, outputs=outputs)
    return replace(config, model=model, task=task, observations=observations, batch=batch)


def fitting_batch(preset: str, features: int, observations: int, batch: int) -> int:
    """Return the largest batch whose states fit into memory, dividing by four."""
    width = features + sized(preset, features, observations, 1).model.outputs
    while batch > 1 and batch * observations * width**2 > MAX_STATE_ENTRIES:
        batch = max(1, batch // 4)
    return batch


QUICK = Sizes(
    presets=("linear-trained", "sine-4step-trained"),
    observations=(2, 3),
    features=(2, 3),
    batch=2,
    growing=(2, 4),
    goal=(3, 2),
    profiled=(2, 4),
    older=((2, 2, 2),),
    rounds=1,
    arriving=(),
)


def run(*, quick: bool) -> Result:
    """Measure and report."""
    return measure(QUICK if quick else Sizes())


def measure(sizes: Sizes) -> Result:
    """Measure and report some sizes, with one thread for torch."""
    torch.set_num_threads(1)
    keep_freed_memory()
    first, (wide, _) = sizes.presets[0], sizes.goal
    return TrainingMeasurements(
        cells=[cell(*at, sizes) for at in product(sizes.presets, sizes.features, sizes.observations)],
        goal=sizes.goal,
        growing={preset: growing(preset, wide, sizes) for preset in sizes.presets},
        growing_wide={f"D = {features}": growing(first, features, sizes) for features in sizes.features},
        profiles=[Profile(n, operators(sized(first, wide, n, sizes.batch))) for n in sizes.profiled],
        older={size: ours(first, *size, sizes.rounds) for size in sizes.older},
        arrivals=[Arrival.of(PRESETS[preset]) for preset in sizes.arriving],
        rounds=sizes.rounds,
    ).report()


def cell(preset: str, features: int, observations: int, sizes: Sizes) -> Cell:
    """Compare all implementations at one size."""
    batch = fitting_batch(preset, features, observations, sizes.batch)
    config = sized(preset, features, observations, batch)
    return Cell(preset, features, observations, batch, compare(config, IMPLEMENTATIONS, sizes.rounds))


def growing(preset: str, features: int, sizes: Sizes) -> Points:
    """Time our step at one N after the other."""
    return {n: ours(preset, features, n, sizes.batch, sizes.rounds) for n in sizes.growing}


def ours(preset: str, features: int, observations: int, batch: int, rounds: int) -> float:
    """Return the median seconds of our step at one size."""
    config = sized(preset, features, observations, batch)
    return float(np.median(compare(config, {OURS: IMPLEMENTATIONS[OURS]}, rounds)[OURS]))
