"""Finished training runs, as they are committed: weights, metrics and record."""

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
    """Load the stack that a committed run has arrived at."""
    stack = GDSSM(config.model)
    load_weights(RUNS / config.name / CHECKPOINT, stack)
    return stack


def record(run: Path) -> Training:
    """Read how a run was trained and what it reached."""
    found: dict[str, Any] = json.loads((run / "record.json").read_text())
    config = found["config"]
    return Training(config=config, seed=config["seed"], commit=found["commit"], metrics=found["metrics"])
