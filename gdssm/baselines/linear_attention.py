"""Linear self-attention, trained from random weights: layers of attention alone (von Oswald et al. 2023)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.baselines.sequence import BaselineConfig, SequenceModel
from gdssm.linear_attention import LinearAttention


@dataclass(frozen=True)
class LinearSelfAttention(BaselineConfig):
    """No softmax, no norm and no multilayer perceptron: every layer is cubic in its positions."""

    def make(self) -> SequenceModel:
        """Make the model with random weights."""
        layers = [_SelfAttention(_random(self.width)) for _ in range(self.layers)]
        return SequenceModel(self, nn.Sequential(*layers), positions=True)


class _SelfAttention(nn.Module):
    """Attention of a sequence to itself."""

    def __init__(self, attention: LinearAttention) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, positions: Float[Tensor, "B T H"]) -> Float[Tensor, "B T H"]:
        answer: Tensor = self.attention(positions, positions, positions.new_ones(positions.shape[:2]))
        return answer


def _random(width: int) -> LinearAttention:
    """Draw attention whose output begins small beside the residual path."""
    query, key, value, projection = torch.randn(4, width, width) / width**0.5
    return LinearAttention(query, key, value, 0.1 * projection, torch.eye(width))
