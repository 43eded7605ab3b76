"""A diagonal linear state-space model after S5: no gate before the state, a gated unit after it."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm import recurrence
from gdssm.baselines.sequence import BaselineConfig, Residual, SequenceModel


@dataclass(frozen=True)
class DiagonalSSM(BaselineConfig):
    """As many complex states as features, joined to the residual path layer by layer."""

    def make(self) -> SequenceModel:
        """Make the model with random weights."""
        layers = [Residual(self.width, DiagonalMixer(self.width, self.width)) for _ in range(self.layers)]
        return SequenceModel(self, nn.Sequential(*layers, nn.LayerNorm(self.width)))


class DiagonalMixer(nn.Module):
    """One layer (Smith et al. 2023, "Simplified state space layers for sequence modeling").

        h_t = exp(λΔ) h_{t−1} + (exp(λΔ) − 1)/λ · B u_t        zero-order hold, λ and h complex
        v_t = GELU(Re C h_t + D u_t)
        o_t = v_t ⊙ σ(W v_t)

    Args:
        width: H, features of u and o.
        states: Size of h.
    """

    def __init__(self, width: int, states: int) -> None:
        super().__init__()
        # Complex numbers as pairs of real ones: these are what optimizers and safe file formats take.
        self.log_damping = nn.Parameter(torch.full((states,), math.log(0.5)))
        self.frequency = nn.Parameter(math.pi * torch.arange(states, dtype=torch.get_default_dtype()))
        self.log_step = nn.Parameter(torch.empty(states).uniform_(math.log(1e-3), math.log(1e-1)))
        self.write = nn.Parameter(torch.randn(states, width, 2) / (2 * width) ** 0.5)
        self.read = nn.Parameter(torch.randn(width, states, 2) / (2 * states) ** 0.5)
        self.feedthrough = nn.Parameter(torch.randn(width))
        self.gate = nn.Linear(width, width)

    def forward(self, positions: Float[Tensor, "B T H"]) -> Float[Tensor, "B T H"]:
        """Map (B, T, H) to (B, T, H)."""
        write, read = torch.view_as_complex(self.write), torch.view_as_complex(self.read)
        pole = torch.complex(-self.log_damping.exp(), self.frequency)
        decay = torch.exp(pole * self.log_step.exp())
        update = (positions.to(decay.dtype) @ write.mT) * ((decay - 1.0) / pole)
        states = recurrence.scan(decay.expand(1, positions.shape[1], -1), update, torch.zeros_like(update[:, 0]))
        value = nn.functional.gelu((states @ read.mT).real + self.feedthrough * positions)
        gated: Tensor = value * torch.sigmoid(self.gate(value))
        return gated
