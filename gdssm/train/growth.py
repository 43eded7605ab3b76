"""A stack that grows: one layer first, then another one at a time, each by halving the earliest.

From random weights, several layers at once may settle on gates that multiply outputs with each other, and never leave
them. One layer finds the gates of descent from every seed, as products of outputs alone say nothing to it. A layer is
added where it changes nothing: the earliest one's gain is shared between two, and the feedback between them is zero.
From there the gradient gives the feedback its sign; drawn at random it may be the wrong one, and a step is lost.

What a step does follows from its number alone, so there is nothing more to keep of a run that is to be resumed.
"""

import torch

from gdssm.stack import GDSSM
from gdssm.train.config import TrainConfig


def waiting(config: TrainConfig, step: int) -> int:
    """Count the layers, the earliest ones, that are not there yet at a step."""
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
    """Keep a step from training the layers that are not there yet."""
    if stack.gain.grad is not None:
        stack.gain.grad[: waiting(config, step)] = 0.0
