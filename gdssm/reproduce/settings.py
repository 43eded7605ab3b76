"""How much of everything: the full report, a quick one for continuous integration, and a tiny one for tests."""

from dataclasses import dataclass, replace

from gdssm.train.config import TrainConfig
from gdssm.train.presets import PRESETS


@dataclass(frozen=True)
class Settings:
    """Sizes of a report."""

    name: str
    claim_tasks: int
    """Evaluation tasks of the claims."""
    tasks: int
    """Evaluation tasks of every point of a curve."""
    rate_tasks: int
    """Tasks on which the best rates are found; never those of the evaluation."""
    resamples: int
    """Means of tasks drawn again for a confidence interval."""
    dimensions: tuple[int, ...]
    """D, for the loss against it."""
    lengths: tuple[int, ...]
    """N, for the loss against it."""
    dimension_steps: int
    """Optimizer steps of the models of each D."""
    drift_steps: int
    """Optimizer steps of the model trained on drift."""
    comparison_steps: int
    """Optimizer steps of each model of the comparison."""
    comparison_batch: int = 128
    """Contexts in such a step."""
    preset_steps: int | None = None
    """Optimizer steps of a preset, where it is not trained in full."""
    preset_batch: int | None = None
    """Contexts in such a step."""

    def presets(self) -> dict[str, TrainConfig]:
        """List the presets as this report trains them."""
        return {name: self._shorten(preset) for name, preset in PRESETS.items()}

    def _shorten(self, preset: TrainConfig) -> TrainConfig:
        if self.preset_steps is None:
            return preset
        steps, batch = min(self.preset_steps, preset.steps), self.preset_batch or preset.batch
        return replace(preset, steps=steps, batch=batch, log_every=max(1, steps // 10), checkpoint_every=steps)


FULL = Settings(
    name="full",
    claim_tasks=20_000,
    tasks=20_000,
    rate_tasks=20_000,
    resamples=200,
    dimensions=(5, 10, 20, 35, 50),
    lengths=(1, 2, 3, 5, 7, 10, 15, 20, 30, 50),
    dimension_steps=1_000,
    drift_steps=2_000,
    comparison_steps=2_000,
)
"""The committed evidence."""

QUICK = Settings(
    name="quick",
    claim_tasks=2_000,
    tasks=500,
    rate_tasks=4_000,
    resamples=100,
    dimensions=(5, 10, 20),
    lengths=(1, 3, 10, 30),
    dimension_steps=100,
    drift_steps=100,
    comparison_steps=20,
    comparison_batch=64,
    preset_steps=150,
    preset_batch=128,
)
"""Whether every part runs; its models are not trained enough to show anything."""

TINY = Settings(
    name="tiny",
    claim_tasks=50,
    tasks=20,
    rate_tasks=200,
    resamples=5,
    dimensions=(2, 3),
    lengths=(2, 10),
    dimension_steps=2,
    drift_steps=2,
    comparison_steps=2,
    comparison_batch=8,
    preset_steps=2,
    preset_batch=8,
)
"""Everything once, for tests."""
