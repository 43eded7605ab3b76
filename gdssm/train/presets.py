"""The shipped runs, most of them trained models of the zoo, and variations of them."""

from dataclasses import fields, replace
from typing import Any

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


def vary(
    preset: TrainConfig,
    *,
    inputs: int | None = None,
    outputs: int | None = None,
    layers: int | None = None,
    **options: Any,  # noqa: ANN401  (fields of the configuration)
) -> TrainConfig:
    """Change a preset; several layers on linear tasks take the settings of the presets with as many.

    Args:
        preset: The configuration to begin with.
        inputs: D.
        outputs: K.
        layers: L.
        options: Other fields of the configuration; None keeps the preset's.

    Raises:
        ValueError: An option is out of range, or the tasks of the preset have no such size.
    """
    sizes = {name: size for name, size in {"inputs": inputs, "outputs": outputs}.items() if size is not None}
    missing = sizes.keys() - {field.name for field in fields(preset.task)}  # type: ignore[arg-type]  # a dataclass
    if missing:
        name = min(missing)
        raise ValueError(f"--{name}: the tasks of {preset.name} have one of it. Choose a linear preset.")
    changed = {name: value for name, value in options.items() if value is not None}
    least = {"inputs": inputs, "outputs": outputs, "layers": layers, **changed}
    for name in ("inputs", "outputs", "layers", "steps", "batch", "observations", "learning_rate"):
        if least.get(name) is not None and not least[name] > 0:
            raise ValueError(f"--{name.replace('_', '-')} must be above 0; this is {least[name]}.")
    if layers is not None and layers != preset.model.layers and isinstance(preset.task, Linear):
        preset = replace(_with_layers(layers), name=preset.name, model=preset.model, task=preset.task)
    model = replace(preset.model, layers=layers or preset.model.layers, **sizes)  # type: ignore[arg-type]
    return replace(preset, model=model, task=replace(preset.task, **sizes), **changed)  # type: ignore[type-var]


def _with_layers(layers: int) -> TrainConfig:
    """The preset for a number of layers; for numbers that have none, the steps between those of 5 and 10 layers."""
    if layers == 1:
        return LINEAR
    return _steps(2, 5000, 512) if layers == 2 else _grown(layers, 4000 + 1200 * layers, 0.02, clip=2.5)
