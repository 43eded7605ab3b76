"""From random weights to gradient descent: each one-layer preset from five seeds, on 20,000 tasks, with its time.

Processor time counts the thread that draws the data as well, and not what else the machine does: with one thread for
torch it is what a run takes at most where the processor is idle.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.table import hardware, markdown
from gdssm.train.evaluate import evaluate
from gdssm.train.loop import Run, train
from gdssm.train.presets import PRESETS

COLUMNS = {
    "loss_ratio": "loss / descent's",
    "sensitivity_cosine": "sensitivity cosine",
    "relative_prediction_difference": "prediction difference",
    "input_gate_rest": "input gate, rest",
    "output_gate_rest": "output gate, rest",
    "least_decay": "least decay",
}


def row(preset: str, seed: int) -> list[str]:
    """Train one preset from one seed and measure it."""
    config = replace(PRESETS[preset], seed=seed)
    with tempfile.TemporaryDirectory() as directory:
        clocks = time.perf_counter, time.process_time
        start = [clock() for clock in clocks]
        stack = train(config, Run(Path(directory), quiet=True))
        spent = [f"{clock() - began:.0f} s" for clock, began in zip(clocks, start, strict=True)]
    metrics = evaluate(stack, config)
    return [preset, str(seed), *(f"{metrics[name]:.6g}" for name in COLUMNS), *spent]


def main(presets: tuple[str, ...] = ("linear-trained", "linear-vector-trained"), seeds: int = 5) -> None:
    """Print the table."""
    print(f"{hardware()}\n")
    rows = [row(preset, seed) for preset in presets for seed in range(seeds)]
    print(markdown(["preset", "seed", *COLUMNS.values(), "time", "processor time"], rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=["linear-trained", "linear-vector-trained"])
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    main(tuple(arguments.presets), arguments.seeds)
