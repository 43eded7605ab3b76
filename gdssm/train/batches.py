"""Training data by seed and step, drawn in advance.

A batch depends on the seed of the run and its step alone, so a resumed run needs no random state, and several processes
share a batch without communication.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gdssm.notation import Inputs, Outputs, Queries
from gdssm.train.config import TrainConfig


class TrainBatch(NamedTuple):
    """Contexts with one query each, in float32."""

    x: Inputs
    y: Outputs
    x_query: Queries
    y_query: Outputs


def draw(config: TrainConfig, step: int) -> TrainBatch:
    """Draw the batch of a step."""
    rng = np.random.default_rng([config.seed, step])
    batch = config.task.sample(rng, config.contexts(step), config.observations, 1)
    return TrainBatch(*map(_tensor, (batch.x, batch.y, batch.x_query, batch.y_query)))


def batches(config: TrainConfig, start: int) -> Iterator[TrainBatch]:
    """Draw the batches of all steps from `start` on, each during the step before it."""
    with ThreadPoolExecutor(max_workers=1) as drawing:
        ahead = drawing.submit(draw, config, start)
        for step in range(start, config.steps):
            batch, ahead = ahead.result(), drawing.submit(draw, config, step + 1)
            yield batch


def _tensor(array: np.ndarray) -> Tensor:
    """Convert to the memory layout of `decayed_gram`: time first, the batch last."""
    return torch.from_numpy(np.ascontiguousarray(array.transpose(1, 2, 0), np.float32)).permute(2, 0, 1)
