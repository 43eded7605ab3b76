"""The frame of every baseline: an embedding of the sequence, a body, and a head that predicts at the last position.

A model reads raw tokens, or windows: x_i, y_i, x_{i+1} and all products x_i y_iᵀ, as the window and the input gate of
the GD-SSM provide them. A windowed model that is worse than the GD-SSM does not lack the window.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.notation import Inputs, Outputs
from gdssm.tokens import interleave
from gdssm.window import slide


@dataclass(frozen=True)
class BaselineConfig(ABC):
    """The sizes that all baselines share."""

    inputs: int
    """D."""
    outputs: int
    """K."""
    width: int = 32
    """H, features of a position inside the model."""
    layers: int = 1
    windowed: bool = False
    """Whether the model reads windows instead of raw tokens."""

    @abstractmethod
    def make(self) -> "SequenceModel":
        """Make the model with random weights."""


class SequenceModel(nn.Module):
    """A model that reads a context and its query as one sequence.

    Args:
        config: Its sizes.
        body: From positions (B, T, H) to positions (B, T, H).
        positions: Whether the body needs positional codes of raw tokens.
    """

    def __init__(self, config: BaselineConfig, body: nn.Module, *, positions: bool = False) -> None:
        super().__init__()
        self.front = Front(config.inputs, config.outputs, config.width, windowed=config.windowed, positions=positions)
        self.body = body
        self.head = nn.Linear(config.width, config.outputs)

    def forward(self, x: Inputs, y: Outputs, x_query: Float[Tensor, "B 1 D"]) -> Float[Tensor, "B 1 K"]:
        """Answer one query (B, 1, D) from a context (B, N, D), (B, N, K); N is at least 1."""
        prediction: Tensor = self.head(self.body(self.front(x, y, x_query))[:, -1:])
        return prediction


class Residual(nn.Module):
    """A layer on a residual path, normalised before it: h + mixer(norm(h))."""

    def __init__(self, width: int, mixer: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mixer = mixer

    def forward(self, positions: Float[Tensor, "B T H"]) -> Float[Tensor, "B T H"]:
        """Map (B, T, H) to (B, T, H)."""
        mixed: Tensor = self.mixer(self.norm(positions))
        return positions + mixed


class Front(nn.Module):
    """Embeds a context and its query as a sequence that ends with the query.

    Args:
        inputs: D.
        outputs: K.
        width: H, features of an embedded position.
        windowed: Whether positions are windows (N of them) or tokens (2N + 1).
        positions: Whether raw tokens get a positional code, by which attention can pair x and y. Windows never get one:
            they are a set.
    """

    def __init__(self, inputs: int, outputs: int, width: int, *, windowed: bool, positions: bool) -> None:
        super().__init__()
        self.windowed = windowed
        self.positions = positions and not windowed
        features = 2 * inputs + outputs + inputs * outputs if windowed else inputs + outputs
        self.embedding = nn.Linear(features, width)

    def forward(self, x: Inputs, y: Outputs, x_query: Float[Tensor, "B 1 D"]) -> Float[Tensor, "B T H"]:
        """Embed a context (B, N, D), (B, N, K), N at least 1, and its query (B, 1, D)."""
        features = window_products(x, y, x_query) if self.windowed else interleave(x, y, x_query)
        embedded: Tensor = self.embedding(features)
        return embedded + positional_code(embedded) if self.positions else embedded


def window_products(x: Inputs, y: Outputs, x_query: Float[Tensor, "B 1 D"]) -> Float[Tensor, "B N P"]:
    """List x_i, y_i, x_{i+1} and x_i y_iᵀ of every window, P = 2D + K + D·K of them; the last x_{i+1} is the query."""
    inputs = x.shape[-1]
    first, second, third = slide(interleave(x, y, x_query)).unbind(2)
    x_here, y_here = first[..., :inputs], second[..., inputs:]
    products = x_here[..., :, None] * y_here[..., None, :]
    return torch.cat([x_here, y_here, third[..., :inputs], products.flatten(-2)], -1)


def positional_code(like: Float[Tensor, "B T H"]) -> Float[Tensor, "T H"]:
    """Sines and cosines of the position at wavelengths from 2π to 10,000·2π (Vaswani et al. 2017, section 3.5)."""
    length, width = like.shape[1:]
    position = torch.arange(length, dtype=like.dtype, device=like.device)[:, None]
    pair = torch.arange(0, width, 2, dtype=like.dtype, device=like.device)
    angle = position * torch.exp(-math.log(10_000.0) / width * pair)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[:, :width]
