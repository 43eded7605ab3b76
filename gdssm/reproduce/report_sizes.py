"""Sizes of a report: the full one, a quick one that shows that all parts work, and a tiny one for tests."""

from dataclasses import dataclass, replace

from gdssm.train.config import TrainConfig
from gdssm.train.presets import PRESETS


@dataclass(frozen=True)
class ReportSizes:
    """Sizes of a report; by default the full one."""

    name: str = "full"
    tasks: int = 20_000
    """Evaluation tasks of the claims and of every point of a curve, the same ones."""
    rate_tasks: int = 20_000
    """Tasks on which the best rates are found, other than those of the evaluation."""
    resamples: int = 200
    """Of the bootstrap."""
    dimensions: tuple[int, ...] = (5, 10, 20, 35, 50)
    """D of the loss by dimension."""
    lengths: tuple[int, ...] = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)
    """N of the loss by context length."""
    dimension_steps: int = 1_000
    """Optimizer steps of the models of each D."""
    drift_steps: int = 2_000
    """Optimizer steps of the model trained on drift."""
    comparison_steps: int = 1_000
    """Optimizer steps of each model of the comparison at every learning rate."""
    comparison_doublings: int = 3
    """Largest number of times that they are doubled at the best rate."""
    comparison_batch: int = 32
    """Contexts in such a step."""
    comparison_seeds: int = 3
    """Seeds of each model of the comparison, at every rate."""
    seeds: int = 5
    """Seeds of each formulation."""
    formulation_steps: int | None = None
    """Optimizer steps of a formulation that is not trained in full."""
    processes: int = 2
    """Processes that train models at the same time."""
    sequence_steps: int = 400
    """Largest number of optimizer steps of a model of recall."""
    digit_steps: int = 800
    """Optimizer steps of a model of digits."""
    character_steps: int = 250
    """Optimizer steps of a model of characters."""
    sequence_seeds: int = 3
    """Seeds of every model of recall, digits and characters."""
    preset_steps: int | None = None
    """Optimizer steps of a preset that is not trained in full."""
    preset_batch: int | None = None
    """Contexts in such a step."""

    def presets(self) -> dict[str, TrainConfig]:
        """Return the presets as this report trains them."""
        return {name: self._shorten(preset) for name, preset in PRESETS.items()}

    def _shorten(self, preset: TrainConfig) -> TrainConfig:
        if self.preset_steps is None:
            return preset
        steps, batch = min(self.preset_steps, preset.steps), self.preset_batch or preset.batch
        return replace(preset, steps=steps, batch=batch, log_every=max(1, steps // 10), checkpoint_every=steps)


FULL = ReportSizes()
QUICK = ReportSizes(
    name="quick",
    tasks=500,
    rate_tasks=4_000,
    resamples=100,
    dimensions=(5, 10, 20),
    lengths=(1, 3, 10, 30),
    dimension_steps=100,
    drift_steps=100,
    comparison_steps=5,
    comparison_doublings=1,
    comparison_seeds=1,
    seeds=2,
    formulation_steps=60,
    sequence_steps=20,
    digit_steps=20,
    character_steps=5,
    sequence_seeds=1,
    preset_steps=150,
    preset_batch=128,
)
TINY = replace(
    QUICK,
    name="tiny",
    tasks=20,
    rate_tasks=200,
    resamples=5,
    dimensions=(2, 3),
    lengths=(2, 10),
    dimension_steps=2,
    drift_steps=2,
    comparison_steps=1,
    comparison_batch=8,
    seeds=1,
    formulation_steps=2,
    processes=1,
    sequence_steps=1,
    digit_steps=1,
    character_steps=1,
    preset_steps=2,
    preset_batch=8,
)
