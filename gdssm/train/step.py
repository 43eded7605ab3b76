"""One step of a run: loss, gradients and optimizer. Nothing in it waits for the device."""

import torch
from torch import Tensor, nn

from gdssm.stack import GDSSM
from gdssm.train import growth
from gdssm.train.batches import TrainBatch
from gdssm.train.config import TrainConfig
from gdssm.train.optimizer import Optimizer


class TrainStep:
    """A step on the given batch, operation by operation.

    Args:
        config: Of the run.
        stack: The stack that is trained.
        optimizer: Of its parameters.
        model: The module that is called in its place, where several processes average their gradients.
    """

    def __init__(self, config: TrainConfig, stack: GDSSM, optimizer: Optimizer, model: nn.Module | None = None) -> None:
        self.config = config
        self.stack = stack
        self.optimizer = optimizer
        self.model = model or stack

    def __call__(self, step: int, batch: TrainBatch) -> Tensor:
        """Take the given step of the run; returns its loss (), which stays on the device."""
        self.optimizer.schedule(step)
        return self.run(step, batch)

    def run(self, step: int, batch: TrainBatch) -> Tensor:
        """Take the step with the sizes that are scheduled."""
        loss = self.loss(batch)
        torch.autograd.backward(loss)
        growth.hold(self.stack, self.config, step)
        self.optimizer.apply()
        return loss.detach()

    def loss(self, batch: TrainBatch) -> Tensor:
        """Compute ½ · mean squared error."""
        with self.autocast(batch.x.device):
            prediction: Tensor = self.model(batch.x, batch.y, batch.x_query)
        return 0.5 * (prediction - batch.y_query).square().mean()

    def autocast(self, device: torch.device) -> torch.autocast:
        """Choose the precision; casts of weights are not kept, because a captured step could not repeat them."""
        enabled = self.config.precision == "bfloat16"
        return torch.autocast(device.type, torch.bfloat16, enabled=enabled, cache_enabled=False)
