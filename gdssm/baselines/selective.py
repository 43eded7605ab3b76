"""A selective state-space model after Mamba: step, input and output projections depend on the input."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm import recurrence
from gdssm.baselines.sequence import BaselineConfig, Residual, SequenceModel


@dataclass(frozen=True)
class SelectiveSSM(BaselineConfig):
    """Every feature with a small state of its own."""

    states: int = 8
    """States of a feature."""
    convolution: int = 4
    """Positions that the short convolution before the state sees; 1 is none. It is a window too, of sums."""

    def make(self) -> SequenceModel:
        """Make the model with random weights."""
        layers = [
            Residual(self.width, SelectiveMixer(self.width, self.states, self.convolution)) for _ in range(self.layers)
        ]
        return SequenceModel(self, nn.Sequential(*layers, nn.LayerNorm(self.width)))


class SelectiveMixer(nn.Module):
    """One layer (Gu and Dao 2023, "Mamba: linear-time sequence modeling with selective state spaces").

        u, g = two projections of the input; u through a short convolution and SiLU
        Δ_t = softplus(W_Δ u_t + b), B_t = W_B u_t, C_t = W_C u_t
        h_t = exp(Δ_t A) h_{t−1} + Δ_t B_t u_t                  A < 0 diagonal, h (H, S)
        o_t = W_o ((C_t h_t + D u_t) ⊙ SiLU(g_t))

    Args:
        width: H.
        states: S.
        convolution: Positions that the convolution sees.
    """

    def __init__(self, width: int, states: int, convolution: int) -> None:
        super().__init__()
        self.states = states
        self.enter = nn.Linear(width, 2 * width, bias=False)
        self.convolution = nn.Conv1d(width, width, convolution, groups=width, padding=convolution - 1)
        self.step = nn.Linear(width, width)
        self.select = nn.Linear(width, 2 * states, bias=False)
        self.log_decay = nn.Parameter(torch.arange(1.0, states + 1.0).log().repeat(width, 1))
        self.feedthrough = nn.Parameter(torch.ones(width))
        self.leave = nn.Linear(width, width, bias=False)
        with torch.no_grad():
            first_step = torch.empty(width).uniform_(math.log(1e-3), math.log(1e-1)).exp()
            self.step.bias.copy_(first_step.expm1().log())

    def forward(self, positions: Float[Tensor, "B T H"]) -> Float[Tensor, "B T H"]:
        """Map (B, T, H) to (B, T, H)."""
        value, gate = self.enter(positions).chunk(2, -1)
        value = nn.functional.silu(self.convolution(value.mT)[..., : value.shape[1]].mT)
        mixed: Tensor = self.leave(self._scan(value) * nn.functional.silu(gate))
        return mixed

    def _scan(self, value: Tensor) -> Tensor:
        """Run the states along u (B, T, H) and read them, C h + D u."""
        step = nn.functional.softplus(self.step(value))[..., None]
        write, read = self.select(value)[:, :, None].chunk(2, -1)
        update = step * write * value[..., None]
        state = recurrence.scan(torch.exp(-step * self.log_decay.exp()), update, torch.zeros_like(update[:, 0]))
        answer: Tensor = (state * read).sum(-1) + self.feedthrough * value
        return answer
