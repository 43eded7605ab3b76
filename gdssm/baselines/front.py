"""What a baseline reads: the raw tokens, or the products of the sliding window.

Raw, x_i and y_i are tokens of their own and a model has to bring them together by itself. Windowed, each position
gets what the GD-SSM's window and input gate give, x_i, y_i, x_{i+1} and all products x_i y_iᵀ; so whatever a windowed
model still lacks is not the window.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.notation import Inputs, Outputs
from gdssm.tokens import interleave
from gdssm.window import slide


class Front(nn.Module):
    """Embeds a context and its query as a sequence that ends with the query.

    Args:
        inputs: D.
        outputs: K.
        width: H, features of an embedded position.
        windowed: Whether positions are windows (N of them) or tokens (2N + 1).
        positions: Whether raw tokens get a positional code, without which attention cannot tell whose y is whose.
            Windows never get one: they are a set.
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
