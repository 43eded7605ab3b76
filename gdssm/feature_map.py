"""Features of x, scaled by the context: a buffer of the first rows, then a frozen scale."""

from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.cell_moments import CellMoments, effective_count, empty, squares_of
from gdssm.notation import Inputs, Outputs, Weight
from gdssm.prior import BEND, BUFFERED, FURTHEST, ROUNDING


class Scale(NamedTuple):
    """Location and scale of the columns of x for their features."""

    center: Float[Tensor, "B D"]
    spread: Float[Tensor, "B D"]
    """A standard deviation; 0 for a constant column."""
    reach: Float[Tensor, " B"]
    """Standard deviations beyond which features are constant."""


# The first seven fields are those of CellMoments: a NamedTuple cannot inherit fields.
class FeatureMapState(NamedTuple):
    """The state of `nonlinear`; zeros before the first observation. See `CellMoments` for the first seven tensors."""

    count: Float[Tensor, " B"]  # type: ignore[assignment]  # shadows tuple.count, which nothing calls
    count_of_squares: Float[Tensor, " B"]
    mean: Float[Tensor, "B K+D"]
    present: Float[Tensor, "B G"]
    comoment: Float[Tensor, "B E E"]
    peak: Float[Tensor, "B K+D"]
    feature_mean: Float[Tensor, "B F"]
    frozen: Float[Tensor, " B"]
    """1 when the scale of the features is fixed, by the observations or by the caller."""
    center: Float[Tensor, "B D"]
    """Location of each column for its features."""
    spread: Float[Tensor, "B D"]
    """Scale of each column for its features; 0 leaves the column out."""
    buffer: Float[Tensor, "B 32 K+D"]
    """The observations [y, x] until the scale is frozen, with 0 in missing cells."""
    buffer_present: Float[Tensor, "B 32 G"]
    """Whether each of their cells is present."""
    buffer_weight: Float[Tensor, "B 32"]
    """Their weights; 0 in empty rows."""

    @classmethod
    def empty(cls, batch: int, inputs: int, outputs: int, indicators: int, features: int) -> "FeatureMapState":
        """Make the state without an observation."""
        zeros, columns = partial(torch.zeros, dtype=torch.float64), inputs + outputs
        return cls(
            *empty(batch, columns, indicators, features),
            zeros(batch),
            zeros(batch, inputs),
            zeros(batch, inputs),
            zeros(batch, BUFFERED, columns),
            zeros(batch, BUFFERED, indicators),
            zeros(batch, BUFFERED),
        )

    def moments(self) -> CellMoments:
        """The moments alone."""
        return CellMoments(*self[: len(CellMoments._fields)])

    def kept_moments(self) -> CellMoments:
        """The moments without the buffered observations; zeros until the scale is frozen."""

        def kept(tensor: Tensor) -> Tensor:
            return self.frozen.reshape(-1, *[1] * (tensor.ndim - 1)) * tensor

        return CellMoments(*map(kept, self.moments()))

    def scale(self) -> Scale:
        """The scale for queries."""
        return Scale(self.center, self.spread, _reach(self.frozen, self.moments().effective_count()))

    def with_buffer(
        self, x: Inputs, y: Outputs, weight: Weight
    ) -> tuple[Float[Tensor, "B N+32 D"], Float[Tensor, "B N+32 K"], Float[Tensor, "B N+32"]]:
        """Concatenate the buffered and the new observations; missing cells are NaN."""
        outputs, inputs = y.shape[-1], x.shape[-1]
        old = self.buffer.narrow(2, outputs, inputs)
        indicators = self.buffer_present.shape[-1]
        present = nn.functional.pad(self.buffer_present, (0, inputs - indicators), value=1.0)
        old = torch.where(present == 0, torch.nan, old)
        return (
            torch.cat([old, x], 1),
            torch.cat([self.buffer.narrow(2, 0, outputs), y], 1),
            torch.cat([self.buffer_weight, weight], 1),
        )

    def scale_with(self, x: Inputs, weight: Weight) -> Scale:
        """The scale for observations: the frozen one, or that of the observations."""
        there = torch.where(torch.isnan(x), 0.0, weight[..., None])
        cells = torch.where(torch.isnan(x), 0.0, x)
        total = there.sum(1, keepdim=True)
        total = torch.where(total > 0, total, 1.0)
        mean = (there * cells).sum(1, keepdim=True) / total
        variance = ((there * (cells - mean).square()).sum(1, keepdim=True) / total).clamp(min=0.0)
        spread = torch.where(variance > (ROUNDING * mean).square(), variance, 0.0).sqrt()
        frozen = self.frozen[:, None] > 0
        squares = squares_of(weight)[..., None].sum(1)
        effective = effective_count(weight[..., None].sum(1), squares)[:, 0]
        return Scale(
            torch.where(frozen, self.center, mean[:, 0]),
            torch.where(frozen, self.spread, spread[:, 0]),
            _reach(self._frozen_with(weight), effective),
        )

    def after(self, moments: CellMoments, scale: Scale, x: Inputs, y: Outputs, weight: Weight) -> "FeatureMapState":
        """The state with new moments; x, y and weight are the buffered and the new observations."""
        frozen = self._frozen_with(weight)
        missing = torch.isnan(x)
        indicators = self.present.shape[-1]
        rows = torch.cat(
            [
                y,
                torch.where(missing, 0.0, x),
                torch.where(missing, 0.0, 1.0).to(x.dtype).narrow(2, 0, indicators),
                weight[..., None],
            ],
            -1,
        )
        place = torch.arange(weight.shape[1], 0, -1, device=x.device)
        first = torch.topk(torch.where(weight == 0, 0, place), BUFFERED, dim=1).indices
        # gather and not take_along_dim, which torch 2.13 exports with the length it was traced at.
        kept = rows.gather(1, first[..., None].expand(-1, -1, rows.shape[-1])) * (1.0 - frozen)[:, None, None]
        columns = self.mean.shape[-1]
        return type(self)(
            *moments,
            frozen,
            scale.center,
            scale.spread,
            kept.narrow(2, 0, columns),
            kept.narrow(2, columns, indicators),
            kept.narrow(2, columns + indicators, 1)[..., 0],
        )

    def _frozen_with(self, weight: Weight) -> Float[Tensor, " B"]:
        some = (weight != 0).to(weight.dtype)[..., None].sum(1)[:, 0]
        return torch.where(some > BUFFERED, 1.0, self.frozen)


def _reach(frozen: Tensor, count: Tensor) -> Float[Tensor, " B"]:
    """The reach of features: n observations lie within √(n−1) standard deviations of their mean."""
    return torch.where(frozen > 0, FURTHEST, (1.0 + (count - 1.0).clamp(min=0.0).sqrt()).clamp(max=FURTHEST))


def standardize(x: Inputs, scale: Scale) -> Inputs:
    """Standardise columns and clip them to their reach; missing cells and constant columns are 0."""
    unit = torch.where(scale.spread > 0, 1.0 / scale.spread, 0.0)[:, None]
    z = torch.where(torch.isnan(x), 0.0, x - scale.center[:, None]) * unit
    reach = scale.reach[:, None, None]
    return torch.minimum(torch.maximum(z, -reach), reach)


def additive_and_pairs(
    z: Inputs, additive: Float[Tensor, "A 3"], pairs: Float[Tensor, "P 2"]
) -> Float[Tensor, "B N F"]:
    """F = A features tanh(sharpness·(z − knot)) of standardised columns, and P products of two columns.

    Rows of `additive` are column, sharpness and knot, those of `pairs` two columns.
    """
    column = additive[:, 0].long()
    steps = torch.tanh(additive[:, 1] * (z[..., column] - additive[:, 2]))
    bent = BEND * torch.tanh(z / BEND)
    products = bent[..., pairs[:, 0].long()] * bent[..., pairs[:, 1].long()]
    return torch.cat([steps, products], -1)
