"""Self-attention: torch's encoder with softmax, and linear attention."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.baselines.sequence import BaselineConfig, SequenceModel
from gdssm.linear_attention import LinearAttention


@dataclass(frozen=True)
class Transformer(BaselineConfig):
    """`nn.TransformerEncoderLayer`, normalised before each part, GELU, no dropout, no mask."""

    heads: int = 4

    def make(self) -> SequenceModel:
        """Make the model with random weights."""
        layers = [
            nn.TransformerEncoderLayer(
                self.width,
                self.heads,
                dim_feedforward=2 * self.width,
                dropout=0.0,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(self.layers)
        ]
        return SequenceModel(self, nn.Sequential(*layers, nn.LayerNorm(self.width)), positions=True)


@dataclass(frozen=True)
class LinearSelfAttention(BaselineConfig):
    """Attention alone (von Oswald et al. 2023): no softmax, norm or perceptron, every layer cubic in its positions."""

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
    """Draw attention whose output is small compared with the residual path."""
    query, key, value, projection = torch.randn(4, width, width) / width**0.5
    return LinearAttention(query, key, value, 0.1 * projection, torch.eye(width))
