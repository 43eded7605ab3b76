"""What a step of training takes beside two plain ways to write it, how it grows, and how soon a preset arrives."""

from itertools import product
from pathlib import Path

import numpy as np
import torch

from benchmarks.convergence import Arrival
from benchmarks.plots import Points, save
from benchmarks.results import parse_out, write
from benchmarks.training.contestants import CONTESTANTS, OURS
from benchmarks.training.profiling import operators
from benchmarks.training.report import Cell, Found, Profile
from benchmarks.training.sizes import Sizes, holding, sized
from benchmarks.training.step import compare
from gdssm.train.loop import _keep_freed_memory
from gdssm.train.presets import PRESETS


def main(out: Path, sizes: Sizes) -> None:
    """Measure, and leave the results."""
    torch.set_num_threads(1)  # what else the machine does then touches all contestants alike
    _keep_freed_memory()
    first, (wide, _) = sizes.presets[0], sizes.goal
    found = Found(
        cells=[cell(*at, sizes) for at in product(sizes.presets, sizes.features, sizes.observations)],
        goal=sizes.goal,
        growing={preset: growing(preset, wide, sizes) for preset in sizes.presets},
        growing_wide={f"D = {features}": growing(first, features, sizes) for features in sizes.features},
        profiles=[Profile(n, operators(sized(first, wide, n, sizes.batch))) for n in sizes.profiled],
        older={size: ours(first, *size, sizes.rounds) for size in sizes.older},
        arrivals=[Arrival.of(PRESETS[preset]) for preset in sizes.arriving],
        rounds=sizes.rounds,
    )
    for name, figure in found.figures().items():
        save(figure, out / f"{name}.svg")
    write(out, "training", found.numbers(), found.section())


def cell(preset: str, features: int, observations: int, sizes: Sizes) -> Cell:
    """Compare all contestants at one size."""
    batch = holding(preset, features, observations, sizes.batch)
    config = sized(preset, features, observations, batch)
    return Cell(preset, features, observations, batch, compare(config, CONTESTANTS, sizes.rounds))


def growing(preset: str, features: int, sizes: Sizes) -> Points:
    """Time our step at one N after the other."""
    return {n: ours(preset, features, n, sizes.batch, sizes.rounds) for n in sizes.growing}


def ours(preset: str, features: int, observations: int, batch: int, rounds: int) -> float:
    """Find the median seconds of our step at one size."""
    config = sized(preset, features, observations, batch)
    return float(np.median(compare(config, {OURS: CONTESTANTS[OURS]}, rounds)[OURS]))


if __name__ == "__main__":
    main(parse_out(__doc__), Sizes())
