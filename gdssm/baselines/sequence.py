"""The frame of every baseline: front, body, and a head that reads the prediction at the last position."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from gdssm.baselines.front import Front
from gdssm.notation import Inputs, Outputs


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
    """Whether the model reads the products of the sliding window instead of raw tokens."""

    @abstractmethod
    def make(self) -> "SequenceModel":
        """Make the model with random weights."""


class SequenceModel(nn.Module):
    """A model that reads a context and its query as one sequence.

    Args:
        config: Its sizes.
        body: From positions (B, T, H) to positions (B, T, H).
        positions: Whether the body needs to be told the order of raw tokens.
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
