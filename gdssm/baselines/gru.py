"""A gated recurrent unit: torch's own."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from gdssm.baselines.sequence import BaselineConfig, SequenceModel


@dataclass(frozen=True)
class GRU(BaselineConfig):
    """`torch.nn.GRU`, its layers stacked."""

    def make(self) -> SequenceModel:
        """Make the model with random weights."""
        return SequenceModel(self, _States(nn.GRU(self.width, self.width, self.layers, batch_first=True)))


class _States(nn.Module):
    """The states at every position, without the last one apart."""

    def __init__(self, recurrent: nn.GRU) -> None:
        super().__init__()
        self.recurrent = recurrent

    def forward(self, positions: Float[Tensor, "B T H"]) -> Float[Tensor, "B T H"]:
        states: Tensor = self.recurrent(positions)[0]
        return states
