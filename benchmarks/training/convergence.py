"""From random weights to gradient descent: each one-layer preset from five seeds, on 20,000 tasks, with its time.

Processor time includes the thread that draws the data: with one thread for torch a run on an idle machine takes at most
that long.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from benchmarks.results import Result, Table
from gdssm.train.checkpoint import METRICS
from gdssm.train.config import TrainConfig
from gdssm.train.evaluate import evaluate
from gdssm.train.loop import Run, train
from gdssm.train.presets import LINEAR, PRESETS, VECTOR

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


def run(*, quick: bool) -> Result:
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
        method=__doc__ or "",
        tables=[Table("", header, [arrived.row() for arrived in arrivals])],
        numbers={"arrivals": [asdict(arrived) for arrived in arrivals]},
    )
