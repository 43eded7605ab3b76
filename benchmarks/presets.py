"""Training presets to their end: one-layer presets from random weights, and multi-step presets from several seeds."""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from benchmarks.results import Result, Table
from gdssm.evaluation.confidence import Interval, ratio_interval
from gdssm.evaluation.metrics import task_losses
from gdssm.stack import GDSSM
from gdssm.train.checkpoint import METRICS
from gdssm.train.config import TrainConfig
from gdssm.train.evaluate import EVALUATION_SEED, Reference, evaluate, predict
from gdssm.train.loop import Run, train
from gdssm.train.presets import LINEAR, PRESETS, VECTOR

CONVERGENCE = """From random weights to gradient descent: each one-layer preset from five seeds, on 20,000 tasks.

Processor time includes the thread that draws the data: with one thread for torch a run on an idle machine takes at most
that long."""
SELECTION = """The multi-step presets from several seeds, on validation tasks.

Every preset trains from three seeds and is compared with gradient descent on validation tasks, which did not train or
evaluate it and were not used to choose its settings: five sets, each as large as the evaluation's, each with learning
rates fitted to separate tasks. The run takes 40 minutes of one processor.

The figures are the median over the five sets, and the number of sets on which the 95 % interval of the ratio reaches 1.
With ten steps one context in 100,000 can have a larger loss than all others in sum, for descent and for a stack, so a
mean only shows whether there is such a context."""
COLUMNS = {
    "loss_ratio": "loss ÷ descent's",
    "sensitivity_cosine": "sensitivity cosine",
    "relative_prediction_difference": "prediction difference",
    "input_gate_rest": "input gate, rest",
    "output_gate_rest": "output gate, rest",
    "least_decay": "least decay",
}
SEEDS = 5
ARRIVED_RATIO = 1.005
"""Loss ÷ the construction's: a run has arrived when it stays below."""


@dataclass(frozen=True)
class Arrival:
    """One run, from its seed to its end."""

    preset: str
    seed: int
    metrics: dict[str, float]
    """On 20,000 tasks, by name."""
    steps: int
    arrived: int
    """The first logged step from which the loss stays near the construction's."""
    seconds: float
    processor_seconds: float

    @classmethod
    def of(cls, config: TrainConfig) -> Self:
        """Train and measure."""
        with tempfile.TemporaryDirectory() as directory:
            clocks = time.perf_counter, time.process_time
            start = [clock() for clock in clocks]
            stack = train(config, Run(Path(directory), quiet=True))
            spent = [clock() - began for clock, began in zip(clocks, start, strict=True)]
            log = [json.loads(line) for line in (Path(directory) / METRICS).read_text().splitlines()]
        return cls(config.name, config.seed, evaluate(stack, config), config.steps, arrival(log), *spent)

    def row(self) -> list[str]:
        """Return a row of the table."""
        measured = (f"{self.metrics[name]:.6g}" for name in COLUMNS)
        return [self.preset, str(self.seed), *measured, f"{self.seconds:.0f} s", f"{self.processor_seconds:.0f} s"]


def arrival(log: Sequence[dict[str, float]]) -> int:
    """Return the first logged step from which the loss stays near the construction's; the last if there is none."""
    far = [line["step"] for line in log if line["loss"] > ARRIVED_RATIO * line["reference_loss"]]
    return int(min((line["step"] for line in log if line["step"] > max(far, default=0)), default=log[-1]["step"]))


def convergence(*, quick: bool) -> Result:
    """Train and report; a quick run trains one preset from one seed for 100 steps."""
    presets, seeds = (("linear-trained",), 1) if quick else ((LINEAR.name, VECTOR.name), SEEDS)
    configs = [replace(PRESETS[preset], seed=seed) for preset in presets for seed in range(seeds)]
    if quick:
        configs = [replace(config, steps=100) for config in configs]
    arrivals = []
    for config in configs:
        arrivals.append(Arrival.of(config))
        print(arrivals[-1].row(), flush=True)
    header = ["preset", "seed", *COLUMNS.values(), "time", "processor time"]
    return Result(
        title="Convergence of the one-layer presets",
        method=CONVERGENCE,
        tables=[Table("", header, [arrived.row() for arrived in arrivals])],
        numbers={"arrivals": [asdict(arrived) for arrived in arrivals]},
    )


SELECTION_SEEDS = (0, 1, 2)
SETS, TASKS = range(6, 11), 20_000
"""The five sets before them were used to choose the settings."""
MULTI_STEP = ("linear-2step-trained", "linear-5step-trained", "linear-10step-trained")


def ratios(config: TrainConfig, references: Sequence[Reference]) -> list[Interval]:
    """Train a preset from one seed: its loss relative to gradient descent's, on every set."""
    with tempfile.TemporaryDirectory() as directory:
        stack = train(config, Run(Path(directory), quiet=True)).double()
    return [ratio(stack, reference) for reference in references]


def ratio(stack: GDSSM, reference: Reference) -> Interval:
    """Compare a stack with gradient descent on the same tasks."""
    assert reference.descent is not None  # noqa: S101
    answers = predict(stack, reference.batch), reference.descent.prediction
    ours, theirs = (task_losses(answer, reference.batch.y_query) for answer in answers)
    return ratio_interval(ours, theirs, np.random.default_rng(0))


def summary(found: Sequence[Interval]) -> list[str]:
    """Return cells of the ratios of all sets: median, least, largest, and how many intervals reach 1."""
    means = [interval.mean for interval in found]
    reached = sum(interval.low <= 1 for interval in found)
    return [f"{number:.5f}" for number in (np.median(means), min(means), max(means))] + [f"{reached} of {len(found)}"]


def selection(*, quick: bool) -> Result:
    """Train and report; a quick run trains one preset from one seed for 100 steps, on one small set."""
    presets, seeds, sets, tasks = (
        (MULTI_STEP[:1], (0,), SETS[:1], 100) if quick else (MULTI_STEP, SELECTION_SEEDS, SETS, TASKS)
    )
    rows = []
    for preset in presets:
        config = replace(PRESETS[preset], steps=100) if quick else PRESETS[preset]
        references = [Reference.of(config, tasks, EVALUATION_SEED + part) for part in sets]
        for seed in seeds:
            rows.append([preset, str(seed), *summary(ratios(replace(config, seed=seed), references))])
            print(rows[-1], flush=True)
    header = ["preset", "seed", "median loss ÷ descent's", "least", "largest", "no worse"]
    return Result(title="Multi-step presets", method=SELECTION, tables=[Table("", header, rows)])
