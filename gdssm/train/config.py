"""All options of a run: two runs of one configuration are the same to the bit."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

from gdssm.evaluation.tasks.task import Task
from gdssm.stack import StackConfig

Precision: TypeAlias = Literal["float32", "bfloat16"]
"""Of the matrix products of a forward and backward pass; weights, sums and the optimizer are float32."""
ADDED = {"grow", "settle", "precision"}
"""Fields that earlier runs did not record."""


@dataclass(frozen=True)
class TrainConfig:
    """One run of training."""

    name: str
    """Of the preset, and of the model in the zoo."""
    model: StackConfig
    task: Task
    """The training data; a new batch for every step."""
    observations: int = 10
    """N of every context."""
    batch: int = 512
    """Contexts in a step of all processes together."""
    steps: int = 4000
    """Optimizer steps."""
    learning_rate: float = 0.02
    """Peak, for the gates and the readout."""
    decay_learning_rate: float = 0.2
    """Peak, for the logits of the decays."""
    feature_learning_rate: float = 0.003
    """Peak, for feature map and head."""
    warmup: float = 0.1
    """Share of the steps with a linear rise to the peak rates; a cosine decay to 0 follows."""
    weight_decay: float = 0.5
    """Weight decay at the peak, for a step of length 1; annealed with the rate."""
    sparsity: float = 0.2
    """Soft threshold at the peak, annealed with the rate: weights without effect become 0."""
    sparsity_from: float = 0.3
    """Share of the steps before the threshold applies; earlier, all weights are small."""
    epsilon: float = 1e-3
    """Of Adam: smaller gradients are not normalised to a full step."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    grow: float = 0.0
    """Share of the steps in which layers are added to the last one; 0 to train all from the start."""
    settle: float = 0.0
    """Share of the steps, the last ones, with four times the batch, for rare contexts."""
    precision: Precision = "float32"
    seed: int = 0
    log_every: int = 100
    checkpoint_every: int = 500

    def contexts(self, step: int) -> int:
        """The number of contexts in the batch of a step."""
        return self.batch * (4 if step >= (1 - self.settle) * self.steps else 1)

    def as_json(self) -> dict[str, Any]:
        """Return all fields, and the kind and fields of the task; those of `ADDED` only if set.

        Runs recorded before these existed still match their presets.
        """
        found = {**asdict(self), "task": {"kind": type(self.task).__name__, **asdict(self.task)}}  # type: ignore[call-overload]
        unset = {field.name for field in fields(self) if field.name in ADDED and found[field.name] == field.default}
        return {name: value for name, value in found.items() if name not in unset}
