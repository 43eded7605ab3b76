"""Training runs: weights and record."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

import gdssm
from gdssm.sequence.regression import RegressorConfig, SequenceRegressor
from gdssm.stack import GDSSM, StackConfig
from gdssm.train.checkpoint import CHECKPOINT, RECORD, load_weights
from service.inference.artifact import Training

RUNS = Path(gdssm.__file__).parent / "runs"
"""The committed runs."""


def load(run: Path) -> GDSSM:
    """Load the stack of a finished run."""
    config = model_of(record(run))
    assert isinstance(config, StackConfig)  # noqa: S101
    stack = GDSSM(config)
    load_weights(run / CHECKPOINT, stack)
    return stack


def load_regressor(run: Path, config: RegressorConfig) -> SequenceRegressor:
    """Load the sequence model of a finished run."""
    model = SequenceRegressor(config)
    load_weights(run / CHECKPOINT, model)
    return model


def model_of(training: Training) -> StackConfig | RegressorConfig:
    """Read the sizes of a model from the record of its run; those of a sequence model have a width."""
    sizes = training.config["model"]
    kind = RegressorConfig if "width" in sizes else StackConfig
    return TypeAdapter[StackConfig | RegressorConfig](kind).validate_python(sizes)


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
