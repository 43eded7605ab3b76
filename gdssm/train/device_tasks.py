"""Training tasks drawn on a device, in the memory layout of `decayed_gram`: time first, the batch last.

The distributions are those of `gdssm.evaluation.tasks`, whose samplers are in numpy; the numbers are other ones.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor

from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.nonlinear import Sine

Sampler: TypeAlias = Callable[[Any, torch.Generator, int, int], tuple[Tensor, Tensor]]
"""From a task, a generator, B and the number of positions T to x (T, D, B) and y (T, K, B)."""


def draw_linear(task: Linear, generator: torch.Generator, tasks: int, positions: int) -> tuple[Tensor, Tensor]:
    """Draw x ~ U(−r/2, r/2)^D and y = Wᵀx, every entry of W ~ N(0, s²)."""
    x = _uniform((positions, task.inputs, tasks), task.input_range / 2, generator)
    weight = torch.randn(task.inputs, task.outputs, tasks, generator=generator, device=generator.device)
    return x, torch.einsum("tdb,dkb->tkb", x, task.weight_scale * weight).contiguous()


def draw_sine(task: Sine, generator: torch.Generator, tasks: int, positions: int) -> tuple[Tensor, Tensor]:
    """Draw x ~ U(−r/2, r/2) and y = a·sin(x + φ)."""
    x = _uniform((positions, 1, tasks), task.input_range / 2, generator)
    amplitude, phase = (
        low + (high - low) * torch.rand(tasks, generator=generator, device=generator.device)
        for low, high in (task.amplitude, task.phase)
    )
    return x, amplitude * torch.sin(x + phase)


def _uniform(shape: tuple[int, ...], half: float, generator: torch.Generator) -> Tensor:
    return torch.empty(shape, device=generator.device).uniform_(-half, half, generator=generator)


SAMPLERS: Mapping[type, Sampler] = {Linear: draw_linear, Sine: draw_sine}
"""By the type of the task; a subclass is another distribution."""
