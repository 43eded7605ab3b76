"""Count, mean and centred second moments of [x, y] as a state.

The plain sums Σ z zᵀ of `layer.State` lose all digits of the spread when the mean is large beside it. These carry
the same knowledge centred, and merge exactly: batches are joined around one common centre (Chan, Golub and LeVeque,
"Updating formulae and a pairwise algorithm for computing sample variances", 1979), for weights of either sign.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from gdssm.construction import X, Y, pairs
from gdssm.input_gate import InputGate
from gdssm.notation import GatedProduct, Inputs, Outputs, Weight
from gdssm.tokens import interleave
from gdssm.window import slide

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


class MomentAccumulator(torch.nn.Module):
    """Adds observations to moments: the input gate with P = (e₁ + e₂)(e₁ + e₂)ᵀ, on centred tokens."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.input_gate = InputGate(pairs((X, X), (X, Y), (Y, X), (Y, Y), dtype=dtype))

    def forward(self, state: Moments, x: Inputs, y: Outputs, weight: Weight) -> Moments:
        """Add N observations, N may be 0.

        With all weights positive the common centre is the new mean, and nothing cancels. With negative weights it
        still lies amid the data, and s corrects for what it is off.

        Args:
            state: The moments before.
            x: (B, N, D).
            y: (B, N, K).
            weight: (B, N), either sign.

        Returns:
            The moments after; zeros where the weights have cancelled to nothing.
        """
        offset = torch.cat([x, y], -1) - state.mean[:, None]
        # Sums run over a middle axis: onnxruntime 1.31 returns the wrong shape for an empty last one.
        column = weight[..., None]
        size = column.abs()
        turnover = state.count[:, None].abs() + size.sum(1)
        shift = (size * offset).sum(1) / _or_one(turnover)
        centre = state.mean + shift

        count = state.count[:, None] + column.sum(1)
        count = torch.where((count / _or_one(turnover)).abs() <= CANCELLED, 0.0, count)
        total = (column * (offset - shift[:, None])).sum(1) - state.count[:, None] * shift
        within = self._centred_sum(x, y, weight, centre)
        between = state.count[:, None, None] * _outer(shift)
        comoment = state.comoment + within + between - _outer(total) / _or_one(count)[..., None]

        left = count != 0
        diagonal = comoment.diagonal(dim1=-2, dim2=-1).abs()
        return Moments(
            count[:, 0],
            torch.where(left, centre + total / _or_one(count), 0.0),
            torch.where(left[..., None], comoment, 0.0),
            torch.where(left, torch.maximum(state.peak, diagonal), 0.0),
        )

    def _centred_sum(self, x: Inputs, y: Outputs, weight: Weight, centre: Tensor) -> GatedProduct:
        """Σ weight·(z − centre)(z − centre)ᵀ, by the gate."""
        inputs = x.shape[-1]
        from_centre = interleave(
            x - centre[:, None, :inputs], y - centre[:, None, inputs:], x.new_zeros(x.shape[0], 1, inputs)
        )
        return self.input_gate.total(slide(from_centre), weight)


def _or_one(divisor: Tensor) -> Tensor:
    return torch.where(divisor == 0, 1.0, divisor)


def _outer(vector: Tensor) -> Tensor:
    return vector[..., :, None] * vector[..., None, :]
