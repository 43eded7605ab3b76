"""Centred features of queries, clipped where they lie beyond all observations."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.cell_moments import CellMoments
from gdssm.notation import Queries
from gdssm.readout import spread


class Diagnostics(NamedTuple):
    """Diagnostics of predictions."""

    degrees_of_freedom: Float[Tensor, " B"]
    """The effective number of observations less one, at least 0."""
    clipped: Float[Tensor, "B M"]
    """Number of clipped columns of a query, see `design_of`."""
    constant: Float[Tensor, "B D"]
    """1 for a column of x that is constant in the context and left out."""


def with_blank(x_query: Queries) -> Float[Tensor, "B M+1 D"]:
    """Append a blank query: onnxruntime 1.31 cannot multiply or sum over an empty batch."""
    return nn.functional.pad(x_query, (0, 0, 0, 1))


def design_of(
    state: CellMoments, outputs: int, x_query: Queries, features: Float[Tensor, "B M F"]
) -> tuple[Float[Tensor, "B M E"], Diagnostics]:
    """Return the centred queries and features (B, M + 1, E), the last one blank, and the diagnostics of M queries.

    n observations lie within √(n−1) standard deviations of their mean; a query is clipped to 1 + √(n−1), because with
    few observations a prediction from further out would be extreme.
    """
    inputs, indicators = x_query.shape[-1], state.present.shape[-1]
    missing = torch.isnan(x_query)
    count = state.effective_count()
    squared = spread(state, outputs).variance.narrow(1, 0, inputs)
    total = torch.where(state.count > 0, state.count, 1.0)[:, None]
    reach = (1.0 + (count - 1.0).clamp(min=0.0).sqrt())[:, None] * (squared / total).sqrt()
    offset = torch.where(missing, 0.0, x_query - state.mean.narrow(1, outputs, inputs)[:, None])
    near = torch.minimum(torch.maximum(offset, -reach[:, None]), reach[:, None])
    present = torch.where(missing, 0.0, 1.0).to(x_query.dtype).narrow(2, 0, indicators)
    design = torch.cat([near, present - state.present[:, None], features - state.feature_mean[:, None]], -1)
    varying = (squared > 0)[:, None]
    clipped = (varying & (near != offset)).to(x_query.dtype).sum(-1)
    return design, Diagnostics(
        (count - 1.0).clamp(min=0.0),
        clipped.narrow(1, 0, x_query.shape[1] - 1),
        1.0 - varying[:, 0].to(x_query.dtype),
    )
