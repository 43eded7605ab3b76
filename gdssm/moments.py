"""Count, mean and centred second moments of [x, y] as a state.

The plain sums Σ z zᵀ of `layer.State` lose all digits of the spread when the mean is large beside it. These carry
the same knowledge centred, and merge exactly: batches are joined around one common centre (Chan, Golub and LeVeque,
"Updating formulae and a pairwise algorithm for computing sample variances", 1979), for weights of either sign.
"""

from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from gdssm.notation import GatedProduct, Inputs, Outputs, Weight

CANCELLED = 1e-12
"""A count this small beside the weights that went into it is rounding: nothing is left."""


class Moments(NamedTuple):
    """What a context amounts to for a linear model; zeros before the first observation."""

    count: Float[Tensor, " B"]  # type: ignore[assignment]  # shadows tuple.count, which nothing calls
    """The sum of the weights."""
    mean: Float[Tensor, "B F"]
    """The weighted mean of [x, y]."""
    comoment: GatedProduct
    """Σ weight·(z − mean)(z − mean)ᵀ over z = [x, y] (B, F, F)."""
    peak: Float[Tensor, "B F"]
    """The largest diagonal of the comoment so far: how much rounding may be left after observations were taken out."""


def empty(batch: int, features: int) -> Moments:
    """Make the moments of `batch` contexts without an observation; float64, as all that is added to them."""
    zeros = partial(torch.zeros, dtype=torch.float64)
    return Moments(zeros(batch), zeros(batch, features), zeros(batch, features, features), zeros(batch, features))


def add(state: Moments, x: Inputs, y: Outputs, weight: Weight) -> Moments:
    """Add N observations, N may be 0.

    What the gate with P = (e₁ + e₂)(e₁ + e₂)ᵀ accumulates over centred tokens, Σ weight·z zᵀ. The state takes part as
    one observation more: its mean, of weight count. All are centred by the new mean, so that nothing is left to cancel.

    Args:
        state: The moments before.
        x: (B, N, D).
        y: (B, N, K).
        weight: (B, N), either sign.

    Returns:
        The moments after; zeros where the weights have cancelled to nothing.
    """
    z = torch.cat([torch.cat([x, y], -1), state.mean[:, None]], 1)
    column = torch.cat([weight, state.count[:, None]], 1)[..., None]
    count, turnover = column.sum(1, keepdim=True), column.abs().sum(1, keepdim=True)
    left = count.abs() > CANCELLED * turnover

    mean = column.mT @ z / count  # not a number where nothing is left, and then not taken
    offset = z - mean
    rounding = column.mT @ offset / count
    comoment = state.comoment + (column * offset).mT @ offset
    comoment = torch.where(left, comoment, 0.0)
    return Moments(
        torch.where(left, count, 0.0).flatten(),
        torch.where(left, mean + rounding, 0.0).squeeze(1),
        comoment,
        torch.where(left.squeeze(1), torch.maximum(state.peak, diagonal(comoment).abs()), 0.0),
    )


def diagonal(matrix: Float[Tensor, "*B F F"]) -> Float[Tensor, "*B F"]:
    """Take the diagonal; torch's own becomes three times as many nodes in ONNX."""
    place = torch.arange(matrix.shape[-1], device=matrix.device)
    return (matrix * (place[:, None] == place)).sum(-1)
