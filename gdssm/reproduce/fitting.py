"""Short training of models that are no preset, all on the same batches."""

from typing import Protocol

import torch
from torch import nn

from gdssm.stack import GDSSM
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


def fit(model: nn.Module, config: TrainConfig) -> nn.Module:
    """Train on ½ · mean squared error for the steps of a configuration."""
    stepper: Stepper = Optimizer(model, config) if isinstance(model, GDSSM) else OneCycle(model, config)
    model.train()
    for step, batch in enumerate(batches(config, 0)):
        loss = 0.5 * (model(batch.x, batch.y, batch.x_query) - batch.y_query).square().mean()
        torch.autograd.backward(loss)
        stepper.step(step)
    return model.eval()
