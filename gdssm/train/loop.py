"""The training loop, from random weights or from a checkpoint."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from gdssm.stack import GDSSM
from gdssm.train import checkpoint, growth
from gdssm.train.batches import TrainBatch, batches
from gdssm.train.capture import CapturedStep, CudaRecorder
from gdssm.train.config import TrainConfig
from gdssm.train.distributed import Group, group
from gdssm.train.evaluate import Reference
from gdssm.train.interruption import interruptible
from gdssm.train.optimizer import Optimizer
from gdssm.train.step import TrainStep

PROGRESS_METRICS = ("loss", "reference_loss", "sensitivity_cosine")
"""Metrics of the progress bar; the log has all."""


@dataclass(frozen=True)
class Run:
    """Directory, device and output of a run."""

    directory: Path
    device: torch.device = torch.device("cpu")  # noqa: RUF009  (immutable)
    quiet: bool = False


def train(config: TrainConfig, run: Run) -> GDSSM:
    """Train, resuming from the checkpoint in the directory; returns the stack on the CPU.

    Raises:
        ValueError: The directory holds a run of another configuration.
        Interrupted: SIGTERM or Ctrl-C arrived; the checkpoint is written.
    """
    run.directory.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    with group(run.device) as peers:
        stack = initial(config).to(run.device)
        optimizer = Optimizer(stack, config, on_device=run.device.type == "cuda")
        start = checkpoint.resume(run.directory, config, stack, optimizer)
        _steps(config, run, peers, stack=stack, optimizer=optimizer, start=start)
    return stack.cpu()


def initial(config: TrainConfig) -> GDSSM:
    """Draw the first weights of a run."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        stack = GDSSM(config.model)
    growth.begin(stack, config)
    return stack


def _steps(config: TrainConfig, run: Run, peers: Group, *, stack: GDSSM, optimizer: Optimizer, start: int) -> None:
    take, reference = make_step(config, stack, optimizer, peers), Reference.of(config) if peers.leads else None
    hidden = run.quiet or not peers.leads
    with (
        interruptible() as interruption,
        tqdm(total=config.steps, initial=start, desc=config.name, disable=hidden, mininterval=0.5) as bar,
    ):
        for step, batch in enumerate(batches(config, start, run.device), start):
            growth.add(stack, config, step)
            loss = take(step, peers.share(batch))
            done = step + 1
            bar.update()
            if reference is not None:
                if done % config.log_every == 0 or done == config.steps:
                    metrics = {"train_loss": float(loss), **reference.measure(stack)}
                    _log(run.directory, {"step": done, **metrics})
                    shown = {name: f"{metrics[name]:.4f}" for name in PROGRESS_METRICS if name in metrics}
                    bar.set_postfix(shown, refresh=False)
                if done % config.checkpoint_every == 0 or done == config.steps or interruption.number:
                    checkpoint.save(run.directory, config, done, stack, optimizer)
            if done < config.steps:
                interruption.check(done)


def make_step(
    config: TrainConfig, stack: GDSSM, optimizer: Optimizer, peers: Group | None = None
) -> Callable[[int, TrainBatch], Tensor]:
    """Return a function that takes a step of the run: captured on a card, unless several processes share the batch.

    Args:
        config: Of the run.
        stack: On its device.
        optimizer: Of the stack; on a card with its sizes on the device.
        peers: The processes that share the batch, this one alone if left out.
    """
    peers, device = peers or Group(), stack.decay_logit.device
    step = TrainStep(config, stack, optimizer, peers.join(stack))
    return CapturedStep(step, CudaRecorder(device)) if device.type == "cuda" and peers.size == 1 else step


def keep_freed_memory() -> None:
    """Let glibc reuse the freed memory of a step in the next one; other allocators are not affected.

    Freeing one block below 32 MiB raises the thresholds for returning memory to that size. Otherwise every tensor of a
    megabyte has new pages, which cost more than the arithmetic on it.
    """
    torch.empty(31 * 2**20, dtype=torch.uint8)


def _log(directory: Path, record: dict[str, Any]) -> None:
    with (directory / checkpoint.METRICS).open("a") as file:
        file.write(json.dumps(record) + "\n")
