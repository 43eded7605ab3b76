"""AdamW with annealed weight decay and soft thresholds.

Some weights are not identified: an entry of the input gate has no effect where the readout is zero, and conversely.
Noise keeps both small but not zero. Weight decay that is annealed with the rate removes them without a bias.
"""

import math

import torch
from torch import nn

from gdssm.stack import GDSSM
from gdssm.train.config import TrainConfig


class Optimizer:
    """Adam for a stack, with one rate for its gates and readout, one for its decays, one for feature map and head."""

    def __init__(self, stack: GDSSM, config: TrainConfig) -> None:
        self.config = config
        self.gates: list[nn.Parameter] = []
        other: dict[str, list[nn.Parameter]] = {"decay": [], "feature": []}
        for name, parameter in stack.named_parameters():
            kind = name.split(".")[0]
            group = other["decay"] if kind == "decay_logit" else other["feature"]
            (group if kind in {"decay_logit", "feature_map", "head"} else self.gates).append(parameter)
        peaks = (config.learning_rate, config.decay_learning_rate, config.feature_learning_rate)
        self.adam = torch.optim.AdamW(
            [
                {"params": parameters, "peak": peak}
                for parameters, peak in zip((self.gates, *other.values()), peaks, strict=True)
            ],
            eps=config.epsilon,
            weight_decay=0.0,
            fused=True,
        )
        self.parameters = [parameter for group in self.adam.param_groups for parameter in group["params"]]

    def step(self, step: int) -> None:
        """Take the given step of the run with the present gradients, and clear them."""
        height = self.height(step)
        for group in self.adam.param_groups:
            group["lr"] = height * group["peak"]
        nn.utils.clip_grad_norm_(self.parameters, self.config.clip)
        self.adam.step()
        self.adam.zero_grad()
        self._pull(step, height)

    def height(self, step: int) -> float:
        """The share of the peak rates at a step: a linear rise, then a cosine decay to 0."""
        rise = max(1, round(self.config.warmup * self.config.steps))
        if step < rise:
            return (step + 1) / rise
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, self.config.steps - rise)))

    @torch.no_grad()
    def _pull(self, step: int, height: float) -> None:
        """Shrink the gates and the readout by weight decay, and later by a soft threshold."""
        length = self.config.learning_rate * height * height
        sparse = step >= self.config.sparsity_from * self.config.steps
        for weight in self.gates:
            weight.mul_(1 - length * self.config.weight_decay)
            if sparse:
                weight.copy_(nn.functional.softshrink(weight, length * self.config.sparsity))
