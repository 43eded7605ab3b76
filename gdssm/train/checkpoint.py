"""A run on disk: safetensors and JSON, nothing that unpickles, resumed bit for bit.

A checkpoint is one file, written beside and then renamed, so a kill at any moment leaves the one before it or this one
and never half of either.
"""

import json
import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from gdssm.stack import GDSSM
from gdssm.train.config import TrainConfig
from gdssm.train.optimizer import Optimizer

CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.jsonl"


def save(directory: Path, config: TrainConfig, step: int, stack: GDSSM, optimizer: Optimizer) -> None:
    """Write the run as it stands after `step` steps."""
    tensors = {f"weights.{name}": tensor for name, tensor in stack.state_dict().items()}
    for i, parameter in enumerate(optimizer.parameters):
        for name, value in optimizer.adam.state[parameter].items():
            tensors[f"optimizer.{i}.{name}"] = value
    metadata = {"step": str(step), "config": json.dumps(config.as_json())}
    beside = directory / f"{CHECKPOINT}.part"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, beside, metadata)
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(directory / CHECKPOINT)


def resume(directory: Path, config: TrainConfig, stack: GDSSM, optimizer: Optimizer) -> int:
    """Load a run into a stack and its optimizer, and take back what was logged after it.

    Returns:
        The number of steps done; 0 where there is no checkpoint.

    Raises:
        ValueError: The checkpoint is of another configuration.
    """
    path = directory / CHECKPOINT
    if not path.exists():
        return 0
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        if json.loads(metadata["config"]) != json.loads(json.dumps(config.as_json())):
            raise ValueError(f"{path} is of another configuration; give another --out, or delete it.")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
    stack.load_state_dict(_under("weights.", tensors))
    for i, parameter in enumerate(optimizer.parameters):
        optimizer.adam.state[parameter] = dict(_under(f"optimizer.{i}.", tensors))
    step = int(metadata["step"])
    _truncate(directory / METRICS, step)
    return step


def load_weights(path: Path, stack: GDSSM) -> None:
    """Load the weights of a checkpoint or of a finished model into a stack."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
    stack.load_state_dict(_under("weights.", tensors))


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _truncate(path: Path, step: int) -> None:
    """Drop the lines of steps that will be taken again."""
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step))
