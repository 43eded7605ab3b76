"""The multi-step presets from several seeds, on tasks of their own.

Every preset trains from three seeds and is held against gradient descent on validation tasks, which neither train nor
evaluate it, nor were looked at when its settings were chosen: five sets, each as large as the evaluation's and each
with rates found on tasks of its own. All of it takes 40 minutes of one processor.

Of the five sets it is the median that counts, and on how many of them the 95 % interval of the ratio reaches 1. With
ten steps one context in 100,000 can lose more than all others together, descent's as well as a stack's, so a mean says
only whether such a context is there.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.table import hardware, markdown
from gdssm.evaluation.confidence import Interval, ratio_interval
from gdssm.evaluation.metrics import task_losses
from gdssm.stack import GDSSM
from gdssm.train.config import TrainConfig
from gdssm.train.evaluate import EVALUATION_SEED, Reference, predict
from gdssm.train.loop import Run, train
from gdssm.train.presets import PRESETS

SEEDS = (0, 1, 2)
SETS, TASKS = range(6, 11), 20_000
"""The five before them were seen when the settings were chosen."""
MULTI_STEP = ("linear-2step-trained", "linear-5step-trained", "linear-10step-trained")


def ratios(config: TrainConfig, references: Sequence[Reference]) -> list[Interval]:
    """Train a preset from one seed: its loss relative to gradient descent's, on every set."""
    with tempfile.TemporaryDirectory() as directory:
        stack = train(config, Run(Path(directory), quiet=True)).double()
    return [ratio(stack, reference) for reference in references]


def ratio(stack: GDSSM, reference: Reference) -> Interval:
    """Hold a stack against gradient descent on the same tasks."""
    assert reference.descent is not None  # noqa: S101
    answers = predict(stack, reference.batch), reference.descent.prediction
    ours, theirs = (task_losses(answer, reference.batch.y_query) for answer in answers)
    return ratio_interval(ours, theirs, np.random.default_rng(0))


def summary(found: Sequence[Interval]) -> list[str]:
    """Write the ratios of all sets as cells: median, least, largest, and how many intervals reach 1."""
    means = [interval.mean for interval in found]
    reached = sum(interval.low <= 1 for interval in found)
    return [f"{number:.5f}" for number in (np.median(means), min(means), max(means))] + [f"{reached} of {len(found)}"]


def main(presets: Sequence[str] = MULTI_STEP, seeds: Sequence[int] = SEEDS) -> None:
    """Print the table, a line as soon as it is known."""
    print(f"{hardware()}\n")
    print(markdown(["preset", "seed", "median loss / descent's", "least", "largest", "no worse"], []), end="")
    for preset in presets:
        references = [Reference.of(PRESETS[preset], TASKS, EVALUATION_SEED + part) for part in SETS]
        for seed in seeds:
            found = ratios(replace(PRESETS[preset], seed=seed), references)
            print("| " + " | ".join([preset, str(seed), *summary(found)]) + " |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=list(MULTI_STEP))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    arguments = parser.parse_args()
    main(arguments.presets, arguments.seeds)
