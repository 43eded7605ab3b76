"""Which presets are measured, how large, and how often; a test takes smaller ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gdssm.evaluation.tasks.linear import Linear
from gdssm.train.config import TrainConfig
from gdssm.train.presets import LINEAR, PRESETS, VECTOR

STATES = 30_000_000
"""Largest number of entries of all states of a batch, which (a) and (b) hold several times over."""


@dataclass(frozen=True)
class Sizes:
    """All that is measured."""

    presets: Sequence[str] = tuple(PRESETS)
    observations: Sequence[int] = (10, 100, 1000)
    """N."""
    features: Sequence[int] = (10, 32, 64)
    """D, and K as well where y is a vector; the width of the learnt features where there are such."""
    batch: int = 64
    """Contexts, where all states of so many can be held."""
    growing: Sequence[int] = (100, 200, 500, 1000)
    """N in the fit of growth."""
    goal: tuple[int, int] = (32, 100)
    """D and N of the goal; D also in the profiles."""
    profiled: tuple[int, int] = (100, 1000)
    """N in the profiles."""
    older: Sequence[tuple[int, int, int]] = ((10, 10, 64), (10, 100, 64), (32, 100, 64), (64, 100, 64), (64, 1000, 16))
    """D, N and batch that the older code was measured with."""
    rounds: int = 2
    arriving: Sequence[str] = (LINEAR.name, VECTOR.name)
    """One-layer presets that are trained to their end."""


def sized(preset: str, features: int, observations: int, batch: int) -> TrainConfig:
    """Make a preset of another size."""
    config = PRESETS[preset]
    model, task = config.model, config.task
    if model.feature_widths:
        model = replace(model, feature_widths=(*model.feature_widths[:-1], features))
    else:
        outputs = features if model.outputs > 1 else 1
        model, task = replace(model, inputs=features, outputs=outputs), Linear(inputs=features, outputs=outputs)
    return replace(config, model=model, task=task, observations=observations, batch=batch)


def holding(preset: str, features: int, observations: int, batch: int) -> int:
    """Find the batch, a quarter each time, whose states can all be held."""
    width = features + sized(preset, features, observations, 1).model.outputs
    while batch > 1 and batch * observations * width**2 > STATES:
        batch = max(1, batch // 4)
    return batch
