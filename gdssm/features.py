"""Non-linear regression: a learned feature map before the layers, and a gated head after them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class FeatureMap(nn.Sequential):
    """φ: a multilayer perceptron from inputs to features, the same for every x and for the query.

    Gradient steps on φ(x) are linear regression on learned features.

    Args:
        inputs: D.
        widths: Of every layer; the last is the number of features. Empty for the identity.
    """

    def __init__(self, inputs: int, widths: tuple[int, ...]) -> None:
        modules: list[nn.Module] = []
        for before, after in zip((inputs, *widths), widths, strict=False):
            modules += [nn.Linear(before, after), nn.GELU()]
        super().__init__(*modules[:-1])
        self.features = widths[-1] if widths else inputs


class GatedHead(nn.Module):
    """The gated unit after the layers: V (W₁o ⊙ σ(W₂o)); predictions are then no longer linear in y.

    Args:
        outputs: K.
        width: Of the gated layer.
    """

    def __init__(self, outputs: int, width: int) -> None:
        super().__init__()
        self.gates = nn.Linear(outputs, 2 * width)
        self.readout = nn.Linear(width, outputs)

    def forward(self, output: Float[Tensor, "*B K"]) -> Float[Tensor, "*B K"]:
        """Gate the outputs (*B, K)."""
        gated: Tensor = self.readout(torch.nn.functional.glu(self.gates(output)))
        return gated
