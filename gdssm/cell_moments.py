"""Count, means and centred second moments of a table with missing cells, as a state.

A missing cell of x is read as the mean of the present cells, and as 0 in an indicator column. Both are exact at any
time: with u = present·(x − c) around the mean c, moving the centre from c to c' is the linear map u' = u + present·(c −
c'), which the comoment of [u, present] follows without the rows. So these moments stream, merge and remove observations
as `moments.Moments` do, joined around one common centre (Chan, Golub and LeVeque 1979): a large mean costs no digits.
"""

from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.moments import CANCELLED, diagonal
from gdssm.notation import Inputs, Outputs, Weight


class CellMoments(NamedTuple):
    """The state of a model of second moments; zeros before the first observation.

    G is D where cells may be missing, else 0. F is the number of features of x, 0 for a linear model. E = K + D + G +
    F.
    """

    count: Float[Tensor, " B"]  # type: ignore[assignment]  # shadows tuple.count, which nothing calls
    """The sum of the weights."""
    count_of_squares: Float[Tensor, " B"]
    """The sum of w for weights that are whole numbers (counts of equal observations) and of w·|w| for others."""
    mean: Float[Tensor, "B K+D"]
    """The weighted mean of y, and of the present cells of x."""
    present: Float[Tensor, "B G"]
    """The share of the weight with a present cell, for each column of x."""
    comoment: Float[Tensor, "B E E"]
    """Σ weight·(z − mean)(z − mean)ᵀ over z = [y, x, present, features], missing cells of x at their mean."""
    peak: Float[Tensor, "B K+D"]
    """The largest diagonal of the comoment so far, of y and x, which bounds the rounding left by removals."""
    feature_mean: Float[Tensor, "B F"]
    """The weighted mean of the features."""

    def effective_count(self) -> Float[Tensor, " B"]:
        """Return the effective number of observations."""
        return effective_count(self.count, self.count_of_squares)


def effective_count(count: Float[Tensor, "*B"], count_of_squares: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
    """The effective number of observations (Σw)²/Σw², of counts Σw (Kish, "Survey Sampling", 1965)."""
    some = count_of_squares > 0
    return torch.where(some, count.square() / torch.where(some, count_of_squares, 1.0), 0.0)


def squares_of(weight: Weight) -> Weight:
    """The contribution of each weight to `count_of_squares`; a whole number counts equal observations."""
    return torch.where(weight == torch.floor(weight), weight, weight * weight.abs())


def empty(batch: int, columns: int, indicators: int, features: int) -> CellMoments:
    """Make the moments of `batch` contexts without an observation."""
    zeros, size = partial(torch.zeros, dtype=torch.float64), columns + indicators + features
    return CellMoments(
        zeros(batch),
        zeros(batch),
        zeros(batch, columns),
        zeros(batch, indicators),
        zeros(batch, size, size),
        zeros(batch, columns),
        zeros(batch, features),
    )


def add(state: CellMoments, x: Inputs, y: Outputs, features: Float[Tensor, "B N F"], weight: Weight) -> CellMoments:
    """Add N observations, N may be 0.

    The state enters as one more observation: its means, with the weight count.

    Args:
        state: The moments before.
        x: (B, N, D); NaN where a cell is missing, allowed for a state with G = D.
        y: (B, N, K).
        features: (B, N, F).
        weight: (B, N), either sign.

    Returns:
        The moments after; zeros where the weights have cancelled to nothing.
    """
    outputs, indicators = y.shape[-1], state.present.shape[-1]
    missing = torch.isnan(x)
    cells = torch.cat([y, torch.where(missing, 0.0, x)], -1)
    there = torch.cat([torch.ones_like(y), torch.where(missing, 0.0, 1.0).to(x.dtype)], -1)
    shares = nn.functional.pad(state.present, (outputs, x.shape[-1] - indicators), value=1.0)

    column = torch.cat([weight, state.count[:, None]], 1)[..., None]
    count, turnover = column.sum(1, keepdim=True), column.abs().sum(1, keepdim=True)
    left = count.abs() > CANCELLED * turnover

    rows = torch.cat([cells, state.mean[:, None]], 1)
    there = torch.cat([there, shares[:, None]], 1)
    cell_weight = column * there
    cell_count = cell_weight.sum(1, keepdim=True)
    seen = left & (cell_count.abs() > CANCELLED * cell_weight.abs().sum(1, keepdim=True))
    mean = torch.where(seen, (cell_weight * rows).sum(1, keepdim=True) / cell_count, 0.0)
    offset = torch.where(seen, rows - mean, 0.0)
    rounding = torch.where(seen, (cell_weight * offset).sum(1, keepdim=True) / cell_count, 0.0)
    offset = offset - rounding

    extra = torch.cat([there.narrow(2, outputs, indicators), torch.cat([features, state.feature_mean[:, None]], 1)], -1)
    extra_mean = torch.where(left, column.mT @ extra / count, 0.0)
    z = torch.cat([there * offset, extra - extra_mean], -1)
    moved = _move(state.comoment, offset.narrow(1, x.shape[1], 1), outputs, indicators)
    cells = nn.functional.pad(seen.to(x.dtype), (0, z.shape[-1] - seen.shape[-1]), value=1.0)
    comoment = torch.where(left, moved * cells * cells.mT + (column * z).mT @ z, 0.0)
    columns = outputs + x.shape[-1]
    peak = torch.maximum(state.peak, diagonal(comoment).narrow(1, 0, columns).abs())
    return CellMoments(
        torch.where(left, count, 0.0).flatten(),
        torch.where(left[:, 0, 0], state.count_of_squares + squares_of(weight)[..., None].sum(1)[:, 0], 0.0),
        (mean + rounding).squeeze(1),
        extra_mean.narrow(2, 0, indicators)[:, 0],
        comoment,
        torch.where(left.squeeze(1), peak, 0.0),
        extra_mean.narrow(2, indicators, features.shape[-1])[:, 0],
    )


def _move(
    comoment: Float[Tensor, "B E E"], shift: Float[Tensor, "B 1 C"], outputs: int, indicators: int
) -> Float[Tensor, "B E E"]:
    """Move the centre of x back by `shift`: u' = u + present·shift, on the rows and columns of the comoment."""
    columns, size = shift.shape[-1], comoment.shape[-1]
    own = shift.narrow(2, outputs, indicators)
    onto = (outputs, size - outputs - indicators)
    moved = comoment + nn.functional.pad(own.mT * comoment.narrow(1, columns, indicators), (0, 0, *onto))
    return moved + nn.functional.pad(own * moved.narrow(2, columns, indicators), onto)
