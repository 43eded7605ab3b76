"""The shipped runs, each a trained model of the zoo."""

from dataclasses import replace

from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.nonlinear import Sine
from gdssm.stack import StackConfig
from gdssm.train.config import TrainConfig

LINEAR = TrainConfig("linear-trained", StackConfig(inputs=10), Linear(inputs=10))
"""One layer, scalar y, x ~ U(−1, 1)¹⁰: the paper's main experiment."""

VECTOR = replace(
    LINEAR,
    name="linear-vector-trained",
    model=StackConfig(inputs=10, outputs=10),
    task=Linear(inputs=10, outputs=10),
    steps=3000,
)
"""The same for vector y."""


def _steps(layers: int, steps: int, batch: int) -> TrainConfig:
    """Several layers, without weight decay: every weight is used, and gradients of early layers are small."""
    return replace(
        LINEAR,
        name=f"linear-{layers}step-trained",
        model=StackConfig(inputs=10, layers=layers),
        steps=steps,
        batch=batch,
        learning_rate=0.01,
        weight_decay=0.0,
        sparsity=0.0,
        epsilon=1e-8,
    )


def _grown(layers: int, steps: int, learning_rate: float, clip: float) -> TrainConfig:
    """Many layers, which are added one by one."""
    return replace(_steps(layers, steps, 256), learning_rate=learning_rate, clip=clip, grow=0.3, settle=0.2)


def _sine(layers: int, name: str) -> TrainConfig:
    return TrainConfig(
        name,
        StackConfig(inputs=1, layers=layers, feature_widths=(64, 64, 16)),
        Sine(),
        steps=20_000,
        batch=256,
        learning_rate=0.003,
        decay_learning_rate=0.05,
        feature_learning_rate=0.003,
        weight_decay=0.0,
        sparsity=0.0,
        epsilon=1e-8,
    )


PRESETS = {
    preset.name: preset
    for preset in (
        LINEAR,
        VECTOR,
        _steps(2, 5000, 512),
        _grown(5, 10_000, 0.02, clip=2.5),
        _grown(10, 16_000, 0.03, clip=2.5),
        _sine(1, "sine-trained"),
        _sine(4, "sine-4step-trained"),
    )
}
