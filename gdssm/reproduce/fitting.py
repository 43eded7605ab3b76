"""Short training of models that are no preset, all on the same batches."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from gdssm.stack import GDSSM
from gdssm.train import growth
from gdssm.train.batches import batches
from gdssm.train.config import TrainConfig
from gdssm.train.optimizer import Optimizer


class Stepper(Protocol):
    """An optimizer with its schedule."""

    def step(self, step: int) -> None:
        """Take the given step of the run, and clear the gradients."""


class OneCycle:
    """Adam with a linear warm-up and a cosine decay, for models other than the GD-SSM.

    Args:
        model: The model to train.
        config: Of the run; the peak rate is that of feature maps, which are ordinary networks too.
    """

    def __init__(self, model: nn.Module, config: TrainConfig) -> None:
        self.model = model
        self.clip = config.clip
        self.adam = torch.optim.AdamW(model.parameters(), weight_decay=0.0)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.adam, config.feature_learning_rate, total_steps=config.steps + 1, pct_start=config.warmup
        )

    def step(self, step: int) -> None:  # noqa: ARG002  (the schedule counts steps)
        """Take the next step, and clear the gradients."""
        nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.adam.step()
        self.schedule.step()
        self.adam.zero_grad()


def half_squares(prediction: Tensor, y_query: Tensor) -> Tensor:
    """Return ½ · mean squared error."""
    return 0.5 * (prediction - y_query).square().mean()


def fit(model: nn.Module, config: TrainConfig, loss: Callable[[Tensor, Tensor], Tensor] = half_squares) -> nn.Module:
    """Train for the steps of a configuration; a GD-SSM as its presets, with their growth."""
    stack = model if isinstance(model, GDSSM) else None
    stepper: Stepper = Optimizer(stack, config) if stack else OneCycle(model, config)
    if stack:
        growth.begin(stack, config)
    model.train()
    for step, batch in enumerate(batches(config, 0)):
        if stack:
            growth.add(stack, config, step)
        torch.autograd.backward(loss(model(batch.x, batch.y, batch.x_query), batch.y_query))
        if stack:
            growth.hold(stack, config, step)
        stepper.step(step)
    return model.eval()
