"""A run on disk as safetensors and JSON, resumed bit for bit.

A checkpoint is one file, written under another name and then renamed, so that an interrupted write leaves the earlier
one.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from gdssm.provenance import commit
from gdssm.stack import GDSSM
from gdssm.train.config import TrainConfig
from gdssm.train.optimizer import Optimizer

CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.jsonl"
RECORD = "record.json"


def save(directory: Path, config: TrainConfig, step: int, stack: GDSSM, optimizer: Optimizer) -> None:
    """Write the run after `step` steps."""
    tensors = {f"weights.{name}": tensor for name, tensor in stack.state_dict().items()}
    for i, parameter in enumerate(optimizer.parameters):
        for name, value in optimizer.adam.state[parameter].items():
            tensors[f"optimizer.{i}.{name}"] = value
    metadata = {"step": str(step), "config": json.dumps(config.as_json())}
    part = directory / f"{CHECKPOINT}.part"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, part, metadata)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(directory / CHECKPOINT)


def resume(directory: Path, config: TrainConfig, stack: GDSSM, optimizer: Optimizer) -> int:
    """Load a run into a stack and its optimizer, and remove later lines of its log.

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
        found, wanted = json.loads(metadata["config"]), json.loads(json.dumps(config.as_json()))
        if found != wanted:
            names = ", ".join(sorted(name for name in found | wanted if found.get(name) != wanted.get(name)))
            raise ValueError(
                f"{path} is of another configuration ({names}). Give another --out, the same options, or delete it."
            )
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
    stack.load_state_dict(_under("weights.", tensors))
    for i, parameter in enumerate(optimizer.parameters):
        moments = _under(f"optimizer.{i}.", tensors)
        optimizer.adam.state[parameter] = {name: tensor.to(parameter.device) for name, tensor in moments.items()}
    step = int(metadata["step"])
    _truncate(directory / METRICS, step)
    return step


def load_weights(path: Path, model: nn.Module) -> None:
    """Load the weights of a checkpoint or of a finished model."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
    model.load_state_dict(_under("weights.", tensors))


def write_record(directory: Path, config: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
    """Write the record of a finished run: its configuration, the commit and its metrics."""
    record = {"config": config, "commit": commit(), "metrics": metrics}
    (directory / RECORD).write_text(json.dumps(record, indent=2) + "\n")


def save_finished(directory: Path, model: nn.Module, config: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
    """Write a finished run of another training loop, as `export` reads it.

    Args:
        directory: Made if it is missing.
        model: With the weights.
        config: At least `model`, its sizes; `task`, with its `kind`; and `seed`.
        metrics: Numbers by name.
    """
    directory.mkdir(parents=True, exist_ok=True)
    weights = {f"weights.{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, directory / CHECKPOINT)
    write_record(directory, config, metrics)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _truncate(path: Path, step: int) -> None:
    """Remove the lines of steps that are repeated."""
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step))
