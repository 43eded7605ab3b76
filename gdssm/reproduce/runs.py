"""Runs of the presets, trained or loaded."""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import safe_open

from gdssm.reproduce.processes import run_all
from gdssm.stack import GDSSM
from gdssm.train.checkpoint import CHECKPOINT, METRICS, load_weights
from gdssm.train.config import TrainConfig
from gdssm.train.loop import Run, initial, train

logger = logging.getLogger("gdssm.reproduce")


@dataclass(frozen=True)
class Trained:
    """A finished run."""

    config: TrainConfig
    stack: GDSSM
    """In double precision, so that large values of stretched tasks stay finite."""
    history: list[dict[str, float]]
    """The metrics logged during training."""
    seconds: float | None
    """Duration of the training; None if it was loaded."""
    commit: str | None = None
    """Of the code that trained it, from its record."""

    def provenance(self) -> dict[str, Any]:
        """Return seed, sizes and commit."""
        config, weights = self.config, sum(weight.numel() for weight in self.stack.parameters())
        return {
            "seed": config.seed,
            "steps": config.steps,
            "batch": config.batch,
            "weights": weights,
            "commit": self.commit,
        }


def train_all(presets: Mapping[str, TrainConfig], directory: Path, processes: int = 1) -> dict[str, Trained]:
    """Train every preset in the directory of its name, resuming an unfinished run; several at the same time."""
    jobs = [(config, directory / name) for name, config in presets.items()]
    return dict(zip(presets, run_all(_train, jobs, processes), strict=True))


def _train(job: tuple[TrainConfig, Path]) -> Trained:
    config, directory = job
    started = time.perf_counter()
    stack = train(config, Run(directory, quiet=True))
    seconds = time.perf_counter() - started
    logger.info("%s: trained in %.0f s", config.name, seconds)
    return Trained(config, stack.double().eval(), _history(directory), seconds)


def load_all(presets: Mapping[str, TrainConfig], directory: Path) -> dict[str, Trained]:
    """Load every preset's finished run from `directory/NAME`.

    Raises:
        FileNotFoundError: A run is missing.
        ValueError: A run is of another configuration, or not finished.
    """
    return {name: _load(config, directory / name) for name, config in presets.items()}


def _load(config: TrainConfig, directory: Path) -> Trained:
    with safe_open(directory / CHECKPOINT, "pt") as file:
        metadata = file.metadata()
    found = json.loads(metadata["config"])
    config = replace(config, seed=found["seed"])
    if found != json.loads(json.dumps(config.as_json())):
        raise ValueError(f"{directory} holds a run of another configuration; train the preset {config.name} again.")
    if int(metadata["step"]) != config.steps:
        raise ValueError(f"{directory} is at step {metadata['step']} of {config.steps}; let it finish first.")
    stack = initial(config)
    load_weights(directory / CHECKPOINT, stack)
    record = directory / "record.json"
    commit = json.loads(record.read_text()).get("commit") if record.exists() else None
    return Trained(config, stack.double().eval(), _history(directory), None, commit)


def _history(directory: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (directory / METRICS).read_text().splitlines()]
