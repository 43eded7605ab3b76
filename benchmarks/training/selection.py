"""The multi-step presets from several seeds, on validation tasks.

Every preset trains from three seeds and is compared with gradient descent on validation tasks, which did not train or
evaluate it and were not used to choose its settings: five sets, each as large as the evaluation's, each with learning
rates fitted to separate tasks. The run takes 40 minutes of one processor.

The figures are the median over the five sets, and the number of sets on which the 95 % interval of the ratio reaches 1.
With ten steps one context in 100,000 can have a larger loss than all others in sum, for descent and for a stack, so a
mean only shows whether there is such a context.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.results import Result, Table
from gdssm.evaluation.confidence import Interval, ratio_interval
from gdssm.evaluation.metrics import task_losses
from gdssm.stack import GDSSM
from gdssm.train.config import TrainConfig
from gdssm.train.evaluate import EVALUATION_SEED, Reference, predict
from gdssm.train.loop import Run, train
from gdssm.train.presets import PRESETS

SEEDS = (0, 1, 2)
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


def run(*, quick: bool) -> Result:
    """Train and report; a quick run trains one preset from one seed for 100 steps, on one small set."""
    presets, seeds, sets, tasks = (MULTI_STEP[:1], (0,), SETS[:1], 100) if quick else (MULTI_STEP, SEEDS, SETS, TASKS)
    rows = []
    for preset in presets:
        config = replace(PRESETS[preset], steps=100) if quick else PRESETS[preset]
        references = [Reference.of(config, tasks, EVALUATION_SEED + part) for part in sets]
        for seed in seeds:
            rows.append([preset, str(seed), *summary(ratios(replace(config, seed=seed), references))])
            print(rows[-1], flush=True)
    header = ["preset", "seed", "median loss ÷ descent's", "least", "largest", "no worse"]
    return Result(title="Multi-step presets", method=__doc__ or "", tables=[Table("", header, rows)])
