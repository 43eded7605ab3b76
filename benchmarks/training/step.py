"""A step as the training takes it, and its time."""

import time
from collections.abc import Mapping

import torch

from benchmarks.training.contestants import Forward
from gdssm.train.batches import draw
from gdssm.train.config import TrainConfig
from gdssm.train.loop import initial
from gdssm.train.optimizer import Optimizer

SLOW = 0.5
"""Seconds. A step that takes longer is taken once."""
SPELL = 0.1
"""Seconds for which a quick step is repeated before the next contestant's turn."""


class Trainer:
    """A preset at its first batch, with the weights that its seed draws.

    Args:
        config: What is trained.
        forward: How its stack is read.
    """

    def __init__(self, config: TrainConfig, forward: Forward) -> None:
        self.forward = forward
        self.stack = initial(config)
        self.optimizer = Optimizer(self.stack, config)
        self.batch = draw(config, 0)

    def loss(self) -> torch.Tensor:
        """Find the loss, as the training does."""
        prediction = self.forward(self.stack, self.batch.x, self.batch.y, self.batch.x_query)
        return 0.5 * (prediction - self.batch.y_query).square().mean()

    def step(self) -> None:
        """Go forward and backward, and change the weights."""
        torch.autograd.backward(self.loss())
        self.optimizer.step(0)

    def spell(self) -> float:
        """Take steps for a while: seconds of one, on average."""
        count, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < SPELL or not count:
            self.step()
            count += 1
        return spent / count


def compare(config: TrainConfig, forwards: Mapping[str, Forward], rounds: int) -> dict[str, list[float]]:
    """Time the contestants in turn, round by round.

    Returns:
        Seconds of a step in every round by contestant; of a slow one the only step, its first.
    """
    trainers = {name: Trainer(config, forward) for name, forward in forwards.items()}
    first = {name: _first(trainer) for name, trainer in trainers.items()}
    seconds: dict[str, list[float]] = {name: [spent] if spent > SLOW else [] for name, spent in first.items()}
    for _ in range(rounds):
        for name, trainer in trainers.items():
            if first[name] <= SLOW:
                seconds[name].append(trainer.spell())
    return seconds


def _first(trainer: Trainer) -> float:
    start = time.perf_counter()
    trainer.step()
    return time.perf_counter() - start
