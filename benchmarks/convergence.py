"""From random weights to gradient descent: each one-layer preset from five seeds, on 20,000 tasks, with its time.

Processor time counts the thread that draws the data as well, and not what else the machine does: with one thread for
torch it is what a run takes at most where the processor is idle.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from benchmarks.table import hardware, markdown
from gdssm.train.checkpoint import METRICS
from gdssm.train.config import TrainConfig
from gdssm.train.evaluate import evaluate
from gdssm.train.loop import Run, train
from gdssm.train.presets import LINEAR, PRESETS, VECTOR

COLUMNS = {
    "loss_ratio": "loss / descent's",
    "sensitivity_cosine": "sensitivity cosine",
    "relative_prediction_difference": "prediction difference",
    "input_gate_rest": "input gate, rest",
    "output_gate_rest": "output gate, rest",
    "least_decay": "least decay",
}
NEAR = 1.005
"""Of the construction's loss: as near counts as arrived."""


@dataclass(frozen=True)
class Arrival:
    """One run, from its seed to its end."""

    preset: str
    seed: int
    metrics: dict[str, float]
    """On 20,000 tasks, by name."""
    steps: int
    arrived: int
    """The logged step after which the loss stays near the construction's."""
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
        """Lay it out as a row of the table."""
        measured = (f"{self.metrics[name]:.6g}" for name in COLUMNS)
        return [self.preset, str(self.seed), *measured, f"{self.seconds:.0f} s", f"{self.processor_seconds:.0f} s"]


def arrival(log: Sequence[dict[str, float]]) -> int:
    """Find the logged step from which on the loss is near the construction's; the last if it never is."""
    far = [line["step"] for line in log if line["loss"] > NEAR * line["reference_loss"]]
    return int(min((line["step"] for line in log if line["step"] > max(far, default=0)), default=log[-1]["step"]))


def main(presets: Sequence[str] = (LINEAR.name, VECTOR.name), seeds: int = 5) -> None:
    """Print the table."""
    print(f"{hardware()}\n")
    rows = [Arrival.of(replace(PRESETS[preset], seed=seed)).row() for preset in presets for seed in range(seeds)]
    print(markdown(["preset", "seed", *COLUMNS.values(), "time", "processor time"], rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=[LINEAR.name, VECTOR.name])
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    main(arguments.presets, arguments.seeds)
