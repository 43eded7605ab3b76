"""Count, mean and centred second moments of [x, y] as a state.

The plain sums Σ z zᵀ of `layer.State` lose all digits of the spread if the mean is large compared with it. Centred
moments do not, and merge exactly: batches are joined around one common centre (Chan, Golub and LeVeque,
"Updating formulae and a pairwise algorithm for computing sample variances", 1979), for weights of either sign.
"""

from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from gdssm.notation import GatedProduct, Inputs, Outputs, Weight

CANCELLED = 1e-12
"""Relative to the sum of |weight|, the largest count that is rounding."""


class Moments(NamedTuple):
    """The state of a linear model; zeros before the first observation."""

    count: Float[Tensor, " B"]  # type: ignore[assignment]  # shadows tuple.count, which nothing calls
    """The sum of the weights."""
    mean: Float[Tensor, "B F"]
    """The weighted mean of [x, y]."""
    comoment: GatedProduct
    """Σ weight·(z − mean)(z − mean)ᵀ over z = [x, y] (B, F, F)."""
    peak: Float[Tensor, "B F"]
    """The largest diagonal of the comoment so far, which bounds the rounding left by removed observations."""


def empty(batch: int, features: int) -> Moments:
    """Make the moments of `batch` contexts without an observation; float64, as all that is added to them."""
    zeros = partial(torch.zeros, dtype=torch.float64)
    return Moments(zeros(batch), zeros(batch, features), zeros(batch, features, features), zeros(batch, features))


def add(state: Moments, x: Inputs, y: Outputs, weight: Weight) -> Moments:
    """Add N observations, N may be 0.

    The sum Σ weight·z zᵀ of the gate with P = (e₁ + e₂)(e₁ + e₂)ᵀ over centred tokens. The state enters as one more
    observation, its mean with the weight count, and all are centred by the new mean. Weights have either sign; moments
    whose weights cancel are zeros.
    """
    z = torch.cat([torch.cat([x, y], -1), state.mean[:, None]], 1)
    column = torch.cat([weight, state.count[:, None]], 1)[..., None]
    count, turnover = column.sum(1, keepdim=True), column.abs().sum(1, keepdim=True)
    left = count.abs() > CANCELLED * turnover

    mean = column.mT @ z / count  # NaN where the weights cancel, and then not used
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
    """The diagonal; that of torch has three times as many nodes in ONNX."""
    place = torch.arange(matrix.shape[-1], device=matrix.device)
    return (matrix * (place[:, None] == place)).sum(-1)
