"""A step of training and its time; three implementations evaluate the same stack, with one loss and one gradient."""

import time
from collections.abc import Callable, Mapping

import torch
from torch.profiler import ProfilerActivity, profile

from gdssm import reference
from gdssm.notation import Inputs, Outputs, Predictions, Queries
from gdssm.stack import GDSSM
from gdssm.train.batches import draw
from gdssm.train.config import TrainConfig
from gdssm.train.loop import initial
from gdssm.train.optimizer import Optimizer

SLOW_SECONDS = 0.5
"""An implementation whose step takes longer takes one step only."""
SPELL_SECONDS = 0.1
"""For which a fast step is repeated in each round."""
PROFILED_STEPS = 10

Forward = Callable[[GDSSM, Inputs, Outputs, Queries], Predictions]


def literal_loop(stack: GDSSM, x: Inputs, y: Outputs, x_query: Queries) -> Predictions:
    """Make every state with the loop over time of `gdssm.reference`, answer at every position, and return the last."""
    window = stack.windows(x, y, x_query)
    update = stack.input_gate(window)
    states = reference.recurrence(stack.decay.expand_as(update[:1]), update, torch.zeros_like(update[:, 0]))
    return stack.read_all(window, states)[:, -1:]


def per_dimension(stack: GDSSM, x: Inputs, y: Outputs, x_query: Queries) -> Predictions:
    """Do the same with a recurrence over time for each dimension of the state by itself, one after the other."""
    window = stack.windows(x, y, x_query)
    mixed = stack.input_gate.mix(window)
    rows = []
    for tokens, decay in zip(window.unbind(-1), stack.decay, strict=True):
        update = (tokens[..., None] * mixed).sum(2)
        rows.append(reference.recurrence(decay.expand_as(update[:1]), update, torch.zeros_like(update[:, 0])))
    return stack.read_all(window, torch.stack(rows, dim=2))[:, -1:]


OURS, LOOP, SCAN = "gdssm", "(a) loop", "(b) per dimension"
IMPLEMENTATIONS: Mapping[str, Forward] = {OURS: GDSSM.__call__, LOOP: literal_loop, SCAN: per_dimension}


class Trainer:
    """A preset at its first batch, with the weights that its seed draws.

    Args:
        config: The preset.
        forward: The implementation.
    """

    def __init__(self, config: TrainConfig, forward: Forward) -> None:
        self.forward = forward
        self.stack = initial(config)
        self.optimizer = Optimizer(self.stack, config)
        self.batch = draw(config, 0)

    def loss(self) -> torch.Tensor:
        """Compute the loss of the training."""
        prediction = self.forward(self.stack, self.batch.x, self.batch.y, self.batch.x_query)
        return 0.5 * (prediction - self.batch.y_query).square().mean()

    def step(self) -> None:
        """Run forward, backward and the optimizer."""
        torch.autograd.backward(self.loss())
        self.optimizer.step(0)

    def spell(self) -> float:
        """Take steps for `SPELL_SECONDS`: seconds of one, on average."""
        count, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < SPELL_SECONDS or not count:
            self.step()
            count += 1
        return spent / count


def compare(config: TrainConfig, forwards: Mapping[str, Forward], rounds: int) -> dict[str, list[float]]:
    """Time the implementations in turn, round by round.

    Returns:
        Seconds of a step in every round by implementation; a slow implementation has its first step only.
    """
    trainers = {name: Trainer(config, forward) for name, forward in forwards.items()}
    first = {name: _first(trainer) for name, trainer in trainers.items()}
    seconds: dict[str, list[float]] = {name: [spent] if spent > SLOW_SECONDS else [] for name, spent in first.items()}
    for _ in range(rounds):
        for name, trainer in trainers.items():
            if first[name] <= SLOW_SECONDS:
                seconds[name].append(trainer.spell())
    return seconds


def _first(trainer: Trainer) -> float:
    start = time.perf_counter()
    trainer.step()
    return time.perf_counter() - start


def operators(config: TrainConfig) -> Mapping[str, tuple[float, float]]:
    """Return the calls of each operator in a step, and the seconds in itself without the operators that it calls."""
    trainer = Trainer(config, IMPLEMENTATIONS[OURS])
    trainer.step()
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(PROFILED_STEPS):
            trainer.step()
    return {
        event.key: (event.count / PROFILED_STEPS, event.self_cpu_time_total * 1e-6 / PROFILED_STEPS)
        for event in profiled.key_averages()
    }
