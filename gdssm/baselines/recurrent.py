"""Recurrent models: GRU, a diagonal state-space model after S5, and a selective one after Mamba."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm import recurrence
from gdssm.baselines.sequence import BaselineConfig, Residual, SequenceModel


@dataclass(frozen=True)
class GRU(BaselineConfig):
    """`torch.nn.GRU`, its layers stacked."""

    def make(self) -> SequenceModel:
        """Make the model with random weights."""
        return SequenceModel(self, _States(nn.GRU(self.width, self.width, self.layers, batch_first=True)))


class _States(nn.Module):
    """The states at every position."""

    def __init__(self, recurrent: nn.GRU) -> None:
        super().__init__()
        self.recurrent = recurrent

    def forward(self, positions: Float[Tensor, "B T H"]) -> Float[Tensor, "B T H"]:
        states: Tensor = self.recurrent(positions)[0]
        return states


@dataclass(frozen=True)
class DiagonalSSM(BaselineConfig):
    """As many complex states as features, and a residual path."""

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
        # Complex numbers are pairs of real ones, which optimizers and safetensors support.
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


@dataclass(frozen=True)
class SelectiveSSM(BaselineConfig):
    """One small state for each feature."""

    states: int = 8
    """States of a feature."""
    convolution: int = 4
    """Width of the short convolution before the state, a window of sums; 1 is none."""

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
        convolution: Width of the convolution.
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
        """Return C h + D u for u (B, T, H)."""
        step = nn.functional.softplus(self.step(value))[..., None]
        write, read = self.select(value)[:, :, None].chunk(2, -1)
        update = step * write * value[..., None]
        state = recurrence.scan(torch.exp(-step * self.log_decay.exp()), update, torch.zeros_like(update[:, 0]))
        answer: Tensor = (state * read).sum(-1) + self.feedthrough * value
        return answer
