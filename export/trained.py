"""Training runs: weights and record."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

import gdssm
from gdssm.stack import GDSSM, StackConfig
from gdssm.train.checkpoint import CHECKPOINT, load_weights
from service.inference.artifact import Training

RUNS = Path(gdssm.__file__).parent / "runs"
"""The committed runs."""
RECORD = "record.json"


def load(run: Path) -> GDSSM:
    """Load the stack of a finished run."""
    stack = GDSSM(model_of(record(run)))
    load_weights(run / CHECKPOINT, stack)
    return stack


def model_of(training: Training) -> StackConfig:
    """Read the sizes of a stack from the record of its run."""
    return TypeAdapter(StackConfig).validate_python(training.config["model"])


def record(run: Path) -> Training:
    """Read configuration, commit and metrics of a run.

    Raises:
        ValueError: It is not finished, or there is none.
    """
    if not (run / RECORD).is_file():
        begun = (run / CHECKPOINT).exists()
        remedy = "Continue it by the command that began it." if begun else "Name the --out of a run."
        raise ValueError(f"{run} is not the directory of a finished run: it has no {RECORD}. {remedy}")
    found: dict[str, Any] = json.loads((run / RECORD).read_text())
    config = found["config"]
    return Training(config=config, seed=config["seed"], commit=found["commit"], metrics=found["metrics"])
