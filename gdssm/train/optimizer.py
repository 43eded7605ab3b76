"""AdamW with annealed weight decay and soft thresholds.

Some weights are not identified: an entry of the input gate has no effect where the readout is zero, and conversely.
Noise keeps both small but not zero. Weight decay that is annealed with the rate removes them without a bias.
"""

import math
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from gdssm.stack import GDSSM
from gdssm.train.config import TrainConfig

Size: TypeAlias = Any
"""A number, or a tensor () on the device of the weights, which a captured step reads; torch types no union of them."""


class StepSizes(NamedTuple):
    """Sizes of one step."""

    gates: Size
    """Rate of gates and readout."""
    decays: Size
    """Rate of the logits of the decays."""
    features: Size
    """Rate of feature map and head."""
    kept: Size
    """Share that weight decay leaves of gates and readout."""
    threshold: Size
    """Soft threshold of gates and readout."""


class Optimizer:
    """Adam for a stack, with one rate for its gates and readout, one for its decays, one for feature map and head.

    Args:
        stack: Its parameters stay the same tensors.
        config: Of the run.
        on_device: Whether the sizes of all steps are on the device of the stack, as a captured step needs them.
    """

    def __init__(self, stack: GDSSM, config: TrainConfig, *, on_device: bool = False) -> None:
        self.config = config
        self.gates: list[nn.Parameter] = []
        other: dict[str, list[nn.Parameter]] = {"decay": [], "feature": []}
        for name, parameter in stack.named_parameters():
            kind = name.split(".")[0]
            group = other["decay"] if kind == "decay_logit" else other["feature"]
            (group if kind in {"decay_logit", "feature_map", "head"} else self.gates).append(parameter)
        self.adam = torch.optim.AdamW(
            [{"params": parameters} for parameters in (self.gates, *other.values())],
            eps=config.epsilon,
            weight_decay=0.0,
            fused=True,
        )
        self.parameters = [parameter for group in self.adam.param_groups for parameter in group["params"]]
        self.sizes = self.sizes_of(0)
        self._table: Tensor | None = None
        if on_device:
            rows = [self.sizes_of(step) for step in range(config.steps)]
            self._table = torch.tensor(rows, device=stack.decay_logit.device)
            self._present = self._table[0].clone()
            self.sizes = StepSizes(*self._present.unbind())

    def step(self, step: int) -> None:
        """Take the given step of the run with the present gradients, and clear them."""
        self.schedule(step)
        self.apply()

    def schedule(self, step: int) -> None:
        """Set the sizes of a step."""
        if self._table is None:
            self.sizes = self.sizes_of(step)
        else:
            self._present.copy_(self._table[step])

    def apply(self) -> None:
        """Take a step of the present sizes with the present gradients, and clear them."""
        for group, rate in zip(self.adam.param_groups, self.sizes[:3], strict=True):
            group["lr"] = rate
        nn.utils.clip_grad_norm_(self.parameters, self.config.clip)
        self.adam.step()
        self.adam.zero_grad()
        self._pull()

    def sizes_of(self, step: int) -> StepSizes:
        """Compute the sizes of a step."""
        config, height = self.config, self.height(step)
        length = config.learning_rate * height * height
        return StepSizes(
            height * config.learning_rate,
            height * config.decay_learning_rate,
            height * config.feature_learning_rate,
            1 - length * config.weight_decay,
            length * config.sparsity if step >= config.sparsity_from * config.steps else 0.0,
        )

    def height(self, step: int) -> float:
        """The share of the peak rates at a step: a linear rise, then a cosine decay to 0."""
        rise = max(1, round(self.config.warmup * self.config.steps))
        if step < rise:
            return (step + 1) / rise
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, self.config.steps - rise)))

    @torch.no_grad()
    def _pull(self) -> None:
        """Shrink the gates and the readout by weight decay, and later by a soft threshold."""
        for weight in self.gates:
            weight.mul_(self.sizes.kept)
            weight.sub_(weight.clamp(-self.sizes.threshold, self.sizes.threshold))
