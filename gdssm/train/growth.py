"""Growth of a stack: one layer first, then one more at a time, each by halving the gain of the earliest.

From random weights, several layers at once may converge to gates that multiply outputs with each other. One layer finds
the gates of descent from every seed, because products of outputs alone do not help it. A layer is added without effect
at first: the gain of the earliest layer is divided between two, and the feedback between them is zero. Its gradient
then determines the sign; a random sign may be wrong, and a step is lost.

The number of a step determines its layers, so a checkpoint needs no further state.
"""

import torch

from gdssm.stack import GDSSM
from gdssm.train.config import TrainConfig


def waiting(config: TrainConfig, step: int) -> int:
    """The number of layers, the earliest ones, that are not added yet at a step."""
    further = config.model.layers - 1
    if step >= config.grow * config.steps:
        return 0
    return further - int(further * step / (config.grow * config.steps))


@torch.no_grad()
def begin(stack: GDSSM, config: TrainConfig) -> None:
    """Leave only the last layer of a stack that is to grow."""
    if config.grow:
        stack.gain[: waiting(config, 0)] = 0.0
        stack.feedback.zero_()


@torch.no_grad()
def add(stack: GDSSM, config: TrainConfig, step: int) -> None:
    """Add the layers that a step begins with."""
    if step:
        for k in reversed(range(waiting(config, step), waiting(config, step - 1))):
            stack.gain[k + 1] /= 2
            stack.gain[k] = stack.gain[k + 1]


def hold(stack: GDSSM, config: TrainConfig, step: int) -> None:
    """Set the gradients of layers that are not added yet to zero."""
    if stack.gain.grad is not None:
        stack.gain.grad[: waiting(config, step)] = 0.0
