"""Softmax self-attention: torch's own encoder layers."""

from dataclasses import dataclass

from torch import nn

from gdssm.baselines.sequence import BaselineConfig, SequenceModel


@dataclass(frozen=True)
class Transformer(BaselineConfig):
    """Normalised before each part, GELU, no dropout; every position sees every other."""

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
