"""Training data by seed and step: drawn by numpy in advance, or on a card.

A batch depends on the seed of the run, its step and the kind of device alone, so a resumed run needs no random state,
and several processes share a batch without communication.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gdssm.notation import Inputs, Outputs, Queries
from gdssm.train.config import TrainConfig
from gdssm.train.device_tasks import SAMPLERS


class TrainBatch(NamedTuple):
    """Contexts with one query each, in float32."""

    x: Inputs
    y: Outputs
    x_query: Queries
    y_query: Outputs

    def to(self, device: torch.device) -> "TrainBatch":
        """Move all tensors to a device."""
        return TrainBatch(*(tensor.to(device) for tensor in self))


def draw(config: TrainConfig, step: int) -> TrainBatch:
    """Draw the batch of a step."""
    rng = np.random.default_rng([config.seed, step])
    batch = config.task.sample(rng, config.contexts(step), config.observations, 1)
    return TrainBatch(*map(_tensor, (batch.x, batch.y, batch.x_query, batch.y_query)))


def draw_on(generator: torch.Generator, config: TrainConfig, step: int) -> TrainBatch:
    """Draw the batch of a step on the device of a generator, without waiting for the device.

    The numbers are other ones than those of `draw`, and differ between kinds of devices.

    Raises:
        KeyError: The tasks of the run are none of `SAMPLERS`.
    """
    (seed,) = np.random.SeedSequence([config.seed, step]).generate_state(1, np.uint64).tolist()
    generator.manual_seed(seed)
    sampler = SAMPLERS[type(config.task)]
    x, y = sampler(config.task, generator, config.contexts(step), config.observations + 1)
    parts = (x[:-1], y[:-1], x[-1:], y[-1:])
    return TrainBatch(*(part.permute(2, 0, 1) for part in parts))


def batches(config: TrainConfig, start: int, device: torch.device | None = None) -> Iterator[TrainBatch]:
    """Draw the batches of all steps from `start` on.

    Args:
        config: Of the run.
        start: The first step.
        device: Of the batches, the processor if left out. Tasks of `SAMPLERS` are drawn on a card; others, and all on
            the processor, each during the step before it.
    """
    device = device or torch.device("cpu")
    if device.type == "cuda" and type(config.task) in SAMPLERS:
        generator = torch.Generator(device)
        for step in range(start, config.steps):
            yield draw_on(generator, config, step)
        return
    with ThreadPoolExecutor(max_workers=1) as drawing:
        ahead = drawing.submit(draw, config, start)
        for step in range(start, config.steps):
            batch, ahead = ahead.result(), drawing.submit(draw, config, step + 1)
            yield batch.to(device)


def _tensor(array: np.ndarray) -> Tensor:
    """Convert to the memory layout of `decayed_gram`: time first, the batch last."""
    return torch.from_numpy(np.ascontiguousarray(array.transpose(1, 2, 0), np.float32)).permute(2, 0, 1)
