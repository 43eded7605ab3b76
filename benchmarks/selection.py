"""The settings of the multi-step presets, compared on tasks of their own.

Every candidate trains from three seeds and is held against gradient descent on validation tasks, which neither train
nor evaluate a preset: five sets, each as large as the evaluation's and each with rates found on tasks of its own. All
of it takes an hour of one processor.

Of the five sets it is the median that counts. With ten steps one context in 100,000 can lose more than all others
together, descent's as well as a stack's, so a mean says only whether such a context is there.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.table import hardware, markdown
from gdssm.evaluation.metrics.loss import half_mean_squared_error
from gdssm.train.config import TrainConfig
from gdssm.train.evaluate import EVALUATION_SEED, Reference, predict
from gdssm.train.loop import Run, train
from gdssm.train.presets import PRESETS

SEEDS = (0, 1, 2)
SETS, TASKS = range(1, 6), 20_000
CLIPS: Mapping[str, Sequence[float]] = {
    "linear-2step-trained": (1.0, 100.0),
    "linear-5step-trained": (1.0, 10.0),
    "linear-10step-trained": (1.0, 10.0),
}
"""The largest norm of a gradient. Rare contexts of large curvature have large ones: a bound keeps the steps steady, and
makes the stack care less for these contexts."""


def ratios(config: TrainConfig, references: Sequence[Reference]) -> list[float]:
    """Train a candidate from one seed: its loss relative to gradient descent's, on every set."""
    with tempfile.TemporaryDirectory() as directory:
        stack = train(config, Run(Path(directory), quiet=True)).double()
    found = []
    for reference in references:
        assert reference.descent is not None  # noqa: S101
        loss = partial(half_mean_squared_error, y_query=reference.batch.y_query)
        found.append(loss(predict(stack, reference.batch)) / loss(reference.descent.prediction))
    return found


def main(presets: Sequence[str] = tuple(CLIPS), seeds: Sequence[int] = SEEDS) -> None:
    """Print the table, a line as soon as it is known."""
    print(f"{hardware()}\n")
    print(markdown(["preset", "clip", "seed", "median loss / descent's", "least", "largest"], []), end="")
    for preset in presets:
        references = [Reference.of(PRESETS[preset], TASKS, EVALUATION_SEED + part) for part in SETS]
        for clip in CLIPS[preset]:
            for seed in seeds:
                found = ratios(replace(PRESETS[preset], clip=clip, seed=seed), references)
                summary = (f"{measured:.5f}" for measured in (np.median(found), min(found), max(found)))
                print("| " + " | ".join([preset, f"{clip:g}", str(seed), *summary]) + " |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=list(CLIPS))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    arguments = parser.parse_args()
    main(arguments.presets, arguments.seeds)
