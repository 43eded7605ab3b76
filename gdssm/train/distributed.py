"""Several processes under torchrun: each has a share of every batch, gradients are averaged."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from gdssm.train.batches import TrainBatch


@dataclass(frozen=True)
class Group:
    """This process among its peers."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and the progress."""
        return self.rank == 0

    def share(self, batch: TrainBatch) -> TrainBatch:
        """Take this process's part of a batch."""
        return TrainBatch(*(tensor[self.rank :: self.size] for tensor in batch))

    def join(self, module: nn.Module) -> nn.Module:
        """Average the gradients of a module over all processes."""
        return DistributedDataParallel(module) if self.size > 1 else module


@contextmanager
def group(device: torch.device) -> Iterator[Group]:
    """Join the processes that torchrun has started, if any."""
    if "WORLD_SIZE" not in os.environ:
        yield Group()
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Group(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
