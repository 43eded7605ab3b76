"""Training on a card: a step compared with its products, a preset to its end, and equality with the processor."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.results import Goal, Result, Skipped, Table, hardware, short_time
from benchmarks.timing import format_quartiles, in_turn, ratios
from gdssm.evaluation.tasks.linear import Linear
from gdssm.stack import GDSSM, StackConfig
from gdssm.train import growth
from gdssm.train.batches import TrainBatch, batches, draw
from gdssm.train.config import TrainConfig
from gdssm.train.evaluate import evaluate
from gdssm.train.loop import Run, initial, make_step, train
from gdssm.train.optimizer import Optimizer
from gdssm.train.presets import LINEAR, PRESETS
from gdssm.train.step import TrainStep

CPU = torch.device("cpu")
CAPTURED, SINGLE, PRODUCTS = "captured", "operation by operation", "bare products"
BEFORE = 10
"""Steps of a loop that are not timed: the first ones load kernels, and one captures."""


def synchronize(device: torch.device) -> None:
    """Wait until a card has done everything."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def sized(inputs: int, observations: int, batch: int) -> TrainConfig:
    """Return the one-layer preset of another size."""
    model, task = StackConfig(inputs=inputs), Linear(inputs=inputs)
    return replace(LINEAR, model=model, task=task, observations=observations, batch=batch)


def step_seconds(config: TrainConfig, device: torch.device, rounds: int, repeats: int) -> dict[str, list[float]]:
    """Time a step on one batch and its bare products, in turn; seconds of one call by round."""
    batch = draw(config, 0).to(device)
    takes: dict[str, Callable[[TrainConfig, GDSSM, Optimizer], Callable[[int, TrainBatch], object]]]
    takes = {CAPTURED: make_step, SINGLE: TrainStep}
    calls: dict[str, Callable[[], object]] = {}
    for name, take in takes.items():
        stack = initial(config).to(device)
        optimizer = Optimizer(stack, config, on_device=device.type == "cuda")
        calls[name] = partial(take(config, stack, optimizer), 0, batch)
    calls[PRODUCTS] = products(config, device)
    several = {name: partial(_several, call, repeats, device) for name, call in calls.items()}
    times = in_turn(several, rounds, warm_up=True)
    return {name: [seconds / repeats for seconds in spent] for name, spent in times.items()}


def _several(call: Callable[[], object], repeats: int, device: torch.device) -> None:
    for _ in range(repeats):
        call()
    synchronize(device)


def products(config: TrainConfig, device: torch.device) -> Callable[[], None]:
    """Return the matrix products of forward and backward, on random matrices of the sizes in `decayed_gram`.

    x is multiplied with two powers of Λ at each of N + 1 positions, y with one at each of N; backward forms the
    gradients of the powers.
    """
    count, batch = config.observations, config.batch
    inputs, outputs = config.model.inputs, config.model.outputs
    shapes = ((count + 1, 2 * (inputs + outputs), inputs), (count, inputs + outputs, outputs))
    operands = [
        tuple(torch.randn(positions, *size, device=device) for size in ((rows, width), (width, batch), (rows, batch)))
        for positions, rows, width in shapes
    ]

    def run() -> None:
        for powers, right, gradient in operands:
            torch.bmm(powers, right)
            torch.bmm(gradient, right.mT)

    return run


def loop_seconds(config: TrainConfig, device: torch.device) -> float:
    """Return the seconds of a step of the loop, with the drawing of its batch, without reports."""
    stack = initial(config).to(device)
    optimizer = Optimizer(stack, config, on_device=device.type == "cuda")
    take, start = make_step(config, stack, optimizer), 0.0
    for step, batch in enumerate(batches(config, 0, device)):
        if step == BEFORE:
            synchronize(device)
            start = time.perf_counter()
        take(step, batch)
    synchronize(device)
    return (time.perf_counter() - start) / (config.steps - BEFORE)


def largest_difference(config: TrainConfig, device: torch.device, steps: int) -> float:
    """Return the largest relative difference of the losses of a run on a device and on the processor, same batches."""
    ours, theirs = (_losses(config, own, steps) for own in (device, CPU))
    return max(abs(one - other) / other for one, other in zip(ours, theirs, strict=True))


def _losses(config: TrainConfig, device: torch.device, steps: int) -> list[float]:
    stack = initial(config).to(device)
    take = make_step(config, stack, Optimizer(stack, config, on_device=device.type == "cuda"))
    losses = []
    for step in range(steps):
        growth.add(stack, config, step)
        losses.append(float(take(step, draw(config, step).to(device))))
    return losses


RUNS = Path(__file__).parents[1] / "gdssm" / "runs"
METHOD = """A step is forward, backward and optimizer of the one-layer preset, in float32 on one batch: captured as a
CUDA graph, and operation by operation; next to it its matrix products alone, on random matrices of the same sizes
(medians of {rounds} rounds in turn). A step of the loop has the drawing of its batch too. A preset is the whole call of
`gdssm.train.loop.train`, with its reports and checkpoints, after a short run that loads the libraries. Losses are
compared with those of the processor on the same batches, over {compared} steps of each preset."""
TARGET_PRODUCTS, TARGET_STEP, TARGET_PRESET = 2.0, 0.5e-3, 3.0
TARGET_EQUAL, TARGET_BFLOAT16, ARRIVED = 1e-5, 1.01, 1.005
REASON = "See the table for the parts."


@dataclass(frozen=True)
class Sizes:
    """The sizes that are measured."""

    steps: Sequence[tuple[int, int, int]] = ((10, 10, 512), (32, 100, 512), (128, 1000, 512))
    """D, N and batch; the step of the loop has the first, the goal of the products the last."""
    rounds: int = 10
    repeats: int = 20
    """Calls that are timed together."""
    loop: int = 1_000
    """Steps of the loop."""
    compared: int = 20
    """Steps of each preset whose losses are compared."""
    presets: Sequence[str] = tuple(PRESETS)
    preset_steps: int | None = None
    """Of the preset that is trained; its own if None."""
    tasks: int = 20_000
    """Of the evaluation."""


QUICK = Sizes(
    steps=((2, 3, 4), (3, 4, 2)),
    rounds=2,
    repeats=1,
    loop=20,
    compared=2,
    presets=(LINEAR.name, "linear-5step-trained", "sine-trained"),
    preset_steps=20,
    tasks=50,
)


@dataclass(frozen=True)
class Finished:
    """A preset at its end."""

    precision: str
    seconds: float
    loss: float
    loss_ratio: float
    """Its loss relative to one step of gradient descent."""


@dataclass(frozen=True)
class Measurements:
    """All measurements on one device."""

    device: str
    times: Mapping[tuple[int, int, int], Mapping[str, Sequence[float]]]
    """Seconds of a call by size, call and round."""
    loop: float
    """Seconds of a step of the loop at the first size."""
    differences: Mapping[str, float]
    """Of losses from those of the processor, by preset."""
    finished: Sequence[Finished]
    sizes: Sizes

    def report(self) -> Result:
        """Lay out the measurements."""
        return Result(
            title="Training on a card",
            method=METHOD.format(rounds=self.sizes.rounds, compared=self.sizes.compared),
            tables=[self._steps(), self._presets(), self._equality()],
            goals=list(self._goals()),
            numbers={
                "device": self.device,
                "step_seconds": {" ".join(map(str, size)): times for size, times in self.times.items()},
                "loop_seconds": self.loop,
                "loss_differences": self.differences,
                "finished": [vars(run) for run in self.finished],
            },
            measured=f"{self.device}; {hardware()}",
        )

    def _steps(self) -> Table:
        rows = [
            [
                *map(str, size),
                *(short_time(float(np.median(times[call]))) for call in (CAPTURED, SINGLE, PRODUCTS)),
                format_quartiles(ratios(times, CAPTURED, PRODUCTS)),
            ]
            for size, times in self.times.items()
        ]
        return Table(
            f"A step on {self.device}, torch {torch.__version__}:",
            ["D", "N", "batch", CAPTURED, SINGLE, PRODUCTS, "captured ÷ products"],
            rows,
        )

    def _presets(self) -> Table:
        usual = json.loads((RUNS / LINEAR.name / "record.json").read_text())["metrics"]["loss"]
        rows = [
            [run.precision, f"{run.seconds:.2f} s", f"{run.loss:.5f}", f"{run.loss_ratio:.5f}"] for run in self.finished
        ]
        caption = f"`{LINEAR.name}` to its end; the run that ships has a loss of {usual:.5f}:"
        return Table(caption, ["precision", "time", "loss", "loss ÷ descent's"], rows)

    def _equality(self) -> Table:
        rows = [[preset, f"{difference:.1e}"] for preset, difference in self.differences.items()]
        return Table("Largest relative difference of a loss from the processor's:", ["preset", "difference"], rows)

    def _goals(self) -> Iterator[Goal]:
        size = self.sizes.steps[-1]
        ratio = ratios(self.times[size], CAPTURED, PRODUCTS)[1]
        exact, low = self.finished
        worst, relative = max(self.differences.values()), low.loss / exact.loss
        arrived = exact.loss_ratio <= ARRIVED
        d, n, batch = size
        small = f"D = {self.sizes.steps[0][0]}, N = {self.sizes.steps[0][1]}"
        for measure, target, result, met in (
            (
                f"captured ÷ bare products, D = {d}, N = {n}, batch {batch}",
                "≤ 2",
                f"{ratio:.2f}",
                ratio <= TARGET_PRODUCTS,
            ),
            (f"a step of the loop, {small}", "≤ 0.5 ms", short_time(self.loop), self.loop <= TARGET_STEP),
            (
                f"{LINEAR.name} to at most {ARRIVED} of descent's loss",
                "≤ 3 s",
                f"{exact.seconds:.2f} s, {exact.loss_ratio:.4f}",
                exact.seconds <= TARGET_PRESET and arrived,
            ),
            ("losses compared with the processor's, float32", "≤ 1e-5", f"{worst:.1e}", worst <= TARGET_EQUAL),
            ("loss in bfloat16 ÷ in float32", "≤ 1.01", f"{relative:.4f}", relative <= TARGET_BFLOAT16),
        ):
            yield Goal(measure, target, result, met if self.device != "cpu" else None, REASON)


def run(*, quick: bool) -> Result:
    """Measure and report; a quick run without a card measures the processor, to see that everything works.

    Raises:
        Skipped: There is no card.
    """
    if torch.cuda.is_available():
        return measure(QUICK if quick else Sizes(), torch.device("cuda", 0)).report()
    if not quick:
        raise Skipped("torch finds no CUDA device.")
    return measure(QUICK, torch.device("cpu")).report()


def measure(sizes: Sizes, device: torch.device) -> Measurements:
    """Measure some sizes on a device."""
    finish(replace(LINEAR, steps=50), device, tasks=50)
    preset = replace(LINEAR, steps=sizes.preset_steps or LINEAR.steps)
    return Measurements(
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        times={size: step_seconds(sized(*size), device, sizes.rounds, sizes.repeats) for size in sizes.steps},
        loop=loop_seconds(replace(sized(*sizes.steps[0]), steps=sizes.loop), device),
        differences={name: largest_difference(PRESETS[name], device, sizes.compared) for name in sizes.presets},
        finished=[
            finish(replace(preset, precision=precision), device, sizes.tasks) for precision in ("float32", "bfloat16")
        ],
        sizes=sizes,
    )


def finish(config: TrainConfig, device: torch.device, tasks: int) -> Finished:
    """Train a preset, and evaluate it on the processor."""
    with tempfile.TemporaryDirectory() as directory:
        start = time.perf_counter()
        stack = train(config, Run(Path(directory), device, quiet=True))
        seconds = time.perf_counter() - start
    metrics = evaluate(stack, config, tasks)
    return Finished(config.precision, seconds, metrics["loss"], metrics["loss_ratio"])
