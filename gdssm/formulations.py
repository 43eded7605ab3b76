"""The three formulations of the layer in the paper, as variations of `stack`.

v1  local self-attention over the window, Xᵀ W X with any W (3 × 3)       `GDSSM` itself
v2  input and output gating: the product of two linear gates              `GatedInput`
–   constructed tokens [x_i·y_i, x_{i+1}], scalar y                       `ConstructedTokens`
"""

import torch
from torch import Tensor, nn

from gdssm import recurrence
from gdssm.input_gate import InputGate
from gdssm.notation import Inputs, Outputs, Predictions, Queries
from gdssm.stack import GDSSM, StackConfig
from gdssm.window import WIDTH


class GatedInput(InputGate):
    """v2: (Xᵀ a)(Xᵀ b)ᵀ, one linear gate times another; P = a bᵀ is then of rank one.

    Args:
        left: a (3,).
        right: b (3,).
    """

    def __init__(self, left: Tensor, right: Tensor) -> None:
        nn.Module.__init__(self)
        self.left, self.right = nn.Parameter(left), nn.Parameter(right)

    @property
    def pair_weight(self) -> Tensor:  # type: ignore[override]
        """P = a bᵀ."""
        return torch.outer(self.left, self.right)


def gated(config: StackConfig) -> GDSSM:
    """Make a stack in the formulation of v2."""
    stack = GDSSM(config)
    stack.input_gate = GatedInput(torch.randn(WIDTH), torch.randn(WIDTH))
    return stack


class ConstructedTokens(nn.Module):
    """Tokens that contain the product: the input gate is linear, and the state a vector.

        z_i = Λ ⊙ z_{i−1} + P t_i,   prediction = (z_N / N)ᵀ C Q t_N,   t_i = [x_i·y_i, x_{i+1}]

    With P = [I 0], Λ = 1, Q = [0 I] and C = η it is one gradient step from W₀ = 0 for scalar y.

    Args:
        inputs: D.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.input_gate = nn.Parameter(torch.randn(inputs, 2 * inputs) / (2 * inputs) ** 0.5)
        self.decay_logit = nn.Parameter(2.0 + 2.0 * torch.rand(inputs))
        self.output_gate = nn.Parameter(torch.randn(inputs, 2 * inputs) / (2 * inputs) ** 0.5)
        self.readout = nn.Parameter(torch.randn(inputs, inputs) / inputs**0.5)

    def forward(self, x: Inputs, y: Outputs, x_query: Queries) -> Predictions:
        """Predict y (B, 1, 1) for x_query (B, 1, D) from the context (B, N, D), (B, N, 1)."""
        tokens = torch.cat([x * y, torch.cat([x[:, 1:], x_query], dim=1)], dim=-1)
        update = tokens @ self.input_gate.mT
        decay = self.decay_logit.sigmoid().expand_as(update)
        state = recurrence.scan(decay, update, torch.zeros_like(update[:, 0]))[:, -1:] / x.shape[1]
        query = tokens[:, -1:] @ self.output_gate.mT
        return (state * (query @ self.readout.mT)).sum(-1, keepdim=True)
