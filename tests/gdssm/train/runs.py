"""A run of seconds, also as a separate process: `python -m tests.gdssm.train.runs DIRECTORY`."""

import sys
from dataclasses import replace
from pathlib import Path

from gdssm.evaluation.tasks.linear import Linear
from gdssm.stack import StackConfig
from gdssm.train.config import TrainConfig
from gdssm.train.loop import Run, train
from gdssm.train.presets import LINEAR

SHORT = replace(
    LINEAR,
    name="short",
    model=StackConfig(inputs=3, outputs=2, layers=2),
    task=Linear(inputs=3, outputs=2),
    observations=5,
    batch=16,
    steps=60,
    log_every=5,
    checkpoint_every=10,
    sparsity_from=0.1,
    grow=0.5,
    settle=0.2,
)


def run(directory: Path, config: TrainConfig = SHORT) -> Path:
    """Train into a directory; returns it."""
    train(config, Run(directory, quiet=True))
    return directory


if __name__ == "__main__":
    run(Path(sys.argv[1]))
