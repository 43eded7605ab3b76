"""A step of training on a device, its bare matrix products, and losses on one device and another."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch

from benchmarks.timing import in_turn
from gdssm.evaluation.tasks.linear import Linear
from gdssm.stack import GDSSM, StackConfig
from gdssm.train import growth
from gdssm.train.batches import TrainBatch, batches, draw
from gdssm.train.config import TrainConfig
from gdssm.train.loop import initial, make_step
from gdssm.train.optimizer import Optimizer
from gdssm.train.presets import LINEAR
from gdssm.train.step import TrainStep

CPU = torch.device("cpu")
CAPTURED, SINGLE, PRODUCTS = "captured", "operation by operation", "bare products"
BEFORE = 10
"""Steps of a loop that are not timed: the first ones load kernels, and one captures."""


def synchronize(device: torch.device) -> None:
    """Wait until a card has done everything."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def sized(inputs: int, observations: int, batch: int) -> TrainConfig:
    """Return the one-layer preset of another size."""
    model, task = StackConfig(inputs=inputs), Linear(inputs=inputs)
    return replace(LINEAR, model=model, task=task, observations=observations, batch=batch)


def step_seconds(config: TrainConfig, device: torch.device, rounds: int, repeats: int) -> dict[str, list[float]]:
    """Time a step on one batch and its bare products, in turn; seconds of one call by round."""
    batch = draw(config, 0).to(device)
    takes: dict[str, Callable[[TrainConfig, GDSSM, Optimizer], Callable[[int, TrainBatch], object]]]
    takes = {CAPTURED: make_step, SINGLE: TrainStep}
    calls: dict[str, Callable[[], object]] = {}
    for name, take in takes.items():
        stack = initial(config).to(device)
        optimizer = Optimizer(stack, config, on_device=device.type == "cuda")
        calls[name] = partial(take(config, stack, optimizer), 0, batch)
    calls[PRODUCTS] = products(config, device)
    several = {name: partial(_several, call, repeats, device) for name, call in calls.items()}
    times = in_turn(several, rounds, warm_up=True)
    return {name: [seconds / repeats for seconds in spent] for name, spent in times.items()}


def _several(call: Callable[[], object], repeats: int, device: torch.device) -> None:
    for _ in range(repeats):
        call()
    synchronize(device)


def products(config: TrainConfig, device: torch.device) -> Callable[[], None]:
    """Return the matrix products of forward and backward, on random matrices of the sizes in `decayed_gram`.

    x is multiplied with two powers of Λ at each of N + 1 positions, y with one at each of N; backward forms the
    gradients of the powers.
    """
    count, batch = config.observations, config.batch
    inputs, outputs = config.model.inputs, config.model.outputs
    shapes = ((count + 1, 2 * (inputs + outputs), inputs), (count, inputs + outputs, outputs))
    operands = [
        tuple(torch.randn(positions, *size, device=device) for size in ((rows, width), (width, batch), (rows, batch)))
        for positions, rows, width in shapes
    ]

    def run() -> None:
        for powers, right, gradient in operands:
            torch.bmm(powers, right)
            torch.bmm(gradient, right.mT)

    return run


def loop_seconds(config: TrainConfig, device: torch.device) -> float:
    """Return the seconds of a step of the loop, with the drawing of its batch, without reports."""
    stack = initial(config).to(device)
    optimizer = Optimizer(stack, config, on_device=device.type == "cuda")
    take, start = make_step(config, stack, optimizer), 0.0
    for step, batch in enumerate(batches(config, 0, device)):
        if step == BEFORE:
            synchronize(device)
            start = time.perf_counter()
        take(step, batch)
    synchronize(device)
    return (time.perf_counter() - start) / (config.steps - BEFORE)


def largest_difference(config: TrainConfig, device: torch.device, steps: int) -> float:
    """Return the largest relative difference of the losses of a run on a device and on the processor, same batches."""
    ours, theirs = (_losses(config, own, steps) for own in (device, CPU))
    return max(abs(one - other) / other for one, other in zip(ours, theirs, strict=True))


def _losses(config: TrainConfig, device: torch.device, steps: int) -> list[float]:
    stack = initial(config).to(device)
    take = make_step(config, stack, Optimizer(stack, config, on_device=device.type == "cuda"))
    losses = []
    for step in range(steps):
        growth.add(stack, config, step)
        losses.append(float(take(step, draw(config, step).to(device))))
    return losses
