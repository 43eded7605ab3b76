"""Committed training runs: weights, metrics and record."""

import json
from pathlib import Path
from typing import Any

import gdssm
from gdssm.stack import GDSSM
from gdssm.train.checkpoint import CHECKPOINT, load_weights
from gdssm.train.config import TrainConfig
from service.inference.artifact import Training

RUNS = Path(gdssm.__file__).parent / "runs"


def load(config: TrainConfig) -> GDSSM:
    """Load the stack of a committed run."""
    stack = GDSSM(config.model)
    load_weights(RUNS / config.name / CHECKPOINT, stack)
    return stack


def record(run: Path) -> Training:
    """Read configuration, commit and metrics of a run."""
    found: dict[str, Any] = json.loads((run / "record.json").read_text())
    config = found["config"]
    return Training(config=config, seed=config["seed"], commit=found["commit"], metrics=found["metrics"])
