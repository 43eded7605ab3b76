"""Time of a step of training compared with two plain implementations, its growth, and convergence of the presets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch

from benchmarks.plots import Points
from benchmarks.results import Result
from benchmarks.training.convergence import Arrival
from benchmarks.training.report import Cell, Profile, TrainingMeasurements
from benchmarks.training.step import IMPLEMENTATIONS, OURS, compare, operators
from gdssm.evaluation.tasks.linear import Linear
from gdssm.train.config import TrainConfig
from gdssm.train.loop import keep_freed_memory
from gdssm.train.presets import LINEAR, PRESETS, VECTOR

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
