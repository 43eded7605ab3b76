"""Everything that decides a run: two runs of one configuration are the same to the bit."""

from dataclasses import asdict, dataclass
from typing import Any

from gdssm.evaluation.tasks.task import Task
from gdssm.stack import StackConfig


@dataclass(frozen=True)
class TrainConfig:
    """One run of training."""

    name: str
    """Of the preset, and of the model in the zoo."""
    model: StackConfig
    task: Task
    """What it is trained on; a fresh batch every step."""
    observations: int = 10
    """N of every context."""
    batch: int = 512
    """Contexts in a step, over all processes together."""
    steps: int = 4000
    """Optimizer steps."""
    learning_rate: float = 0.02
    """Peak, for the gates and the readout."""
    decay_learning_rate: float = 0.2
    """Peak, for the logits of the decays, which have far to go."""
    feature_learning_rate: float = 0.003
    """Peak, for feature map and head."""
    warmup: float = 0.1
    """Share of the steps in which the rates rise to their peaks; they then fall to nothing along a cosine."""
    weight_decay: float = 0.5
    """Pull to zero at the peak, in shares of a weight for a step of length 1; annealed with the rate."""
    sparsity: float = 0.2
    """Pull to zero by a constant amount (soft threshold), annealed with the rate: weights that do nothing vanish."""
    sparsity_from: float = 0.3
    """Share of the steps after which it sets in; before, every weight is small and would be lost."""
    epsilon: float = 1e-3
    """Adam's: a gradient much smaller than this is not blown up to a full step."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    grow: float = 0.0
    """Share of the steps in which layers are added to the last one; 0, and all train from the start."""
    settle: float = 0.0
    """Share of the steps, the last ones, with four times the batch: so rare contexts count as they should."""
    seed: int = 0
    log_every: int = 100
    checkpoint_every: int = 500

    def contexts(self, step: int) -> int:
        """Count the contexts in the batch of a step."""
        return self.batch * (4 if step >= (1 - self.settle) * self.steps else 1)

    def as_json(self) -> dict[str, Any]:
        """Write every field down, and the task's kind with its own; `grow` and `settle` only where they are set."""
        # Runs from before there were these two are still those of their presets.
        fields = {**asdict(self), "task": {"kind": type(self.task).__name__, **asdict(self.task)}}  # type: ignore[call-overload]
        return {name: value for name, value in fields.items() if name not in {"grow", "settle"} or value}
