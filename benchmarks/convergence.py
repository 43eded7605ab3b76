"""From random weights to gradient descent: each one-layer preset from five seeds, on 20,000 tasks, with its time."""

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
        start = time.perf_counter()
        stack = train(config, Run(Path(directory), quiet=True))
        seconds = time.perf_counter() - start
    metrics = evaluate(stack, config)
    return [preset, str(seed), *(f"{metrics[name]:.6g}" for name in COLUMNS), f"{seconds:.0f} s"]


def main(presets: tuple[str, ...] = ("linear-trained", "linear-vector-trained"), seeds: int = 5) -> None:
    """Print the table."""
    print(f"{hardware()}\n")
    rows = [row(preset, seed) for preset in presets for seed in range(seeds)]
    print(markdown(["preset", "seed", *COLUMNS.values(), "time"], rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=["linear-trained", "linear-vector-trained"])
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    main(tuple(arguments.presets), arguments.seeds)
