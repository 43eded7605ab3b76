"""The models of the comparison, all trained on the same batches, at the same rates and for as long as it helps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from gdssm.ablations import ABLATIONS
from gdssm.baselines.catalog import all_baselines
from gdssm.evaluation.tasks.linear import Linear
from gdssm.reproduce.fitting import fit
from gdssm.stack import StackConfig
from gdssm.train.presets import LINEAR, PRESETS

LAYERS = (1, 2)
OURS, RAW, WINDOWED = "GD-SSM and ablations", "baselines, raw tokens", "baselines, windowed products"


@dataclass(frozen=True)
class ComparedModel:
    """One model of the comparison."""

    group: str
    name: str
    layers: int
    make: Callable[[], nn.Module]
    """With random weights."""

    def label(self) -> dict[str, str | int]:
        """Return group, name and number of layers."""
        return {"group": self.group, "name": self.name, "layers": self.layers}

    def train(self, task: Linear, *, rate: float, steps: int, batch: int, seed: int) -> nn.Module:
        """Train it with a peak rate, a GD-SSM with the other options of the preset of as many layers."""
        torch.manual_seed(seed)
        preset = LINEAR if self.layers == 1 else PRESETS[f"linear-{self.layers}step-trained"]
        options = replace(preset, learning_rate=rate, feature_learning_rate=rate, steps=steps, batch=batch, seed=seed)
        return fit(self.make(), replace(options, task=task, model=StackConfig(task.inputs, task.outputs, self.layers)))


def compared_models(task: Linear) -> Iterator[ComparedModel]:
    """List all, first with one and then with two layers."""
    inputs, outputs = task.inputs, task.outputs
    for layers in LAYERS:
        for name, ablation in ABLATIONS.items():
            yield ComparedModel(OURS, name, layers, partial(ablation, StackConfig(inputs, outputs, layers)))
        for group, windowed in ((RAW, False), (WINDOWED, True)):
            for name, config in all_baselines(inputs, outputs, layers, windowed=windowed).items():
                yield ComparedModel(group, name, layers, config.make)


def weights(model: nn.Module) -> int:
    """Count the weights that are trained."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
