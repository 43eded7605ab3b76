"""From moments to predictions with a scale: the evidence average as one linear readout.

The average of predictions over groups of features and strengths is linear in the features, and the squared scale of the
predictive t distribution is one quadratic form. So the readout of a context is a vector and a matrix for each output:
it is computed once for a state, and each query costs two products.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.cell_moments import CellMoments
from gdssm.descent_integral import Path, follow
from gdssm.evidence import LOG_PRIOR, Strengths, ridge_at_every_strength
from gdssm.moments import diagonal
from gdssm.prior import CONSTANT, NEVER, NUMBERS, RESIDUE, ROUNDING, SMALLEST_FREEDOM


class Readout(NamedTuple):
    """The readout of a state; E features: the inputs, their indicators, and features of them."""

    weight: Float[Tensor, "B E K"]
    """The prediction is the mean of y plus weightᵀ·(features − their means)."""
    covariance: Float[Tensor, "B K E E"]
    """The squared scale is `noise` plus the quadratic form of (features − their means) in this."""
    noise: Float[Tensor, "B K"]
    response: Float[Tensor, "B K E E"]
    """Maps Σ weight·(feature − mean)·y to `weight`, at the evidence weights of strengths and groups."""


class Spread(NamedTuple):
    """The variation of columns."""

    outputs: Float[Tensor, "B K"]
    """√Σ weight·(y − mean)²; 0 for a constant one."""
    variance: Float[Tensor, "B E"]
    """Σ weight·(feature − mean)²; 0 for a constant one."""


def spread(state: CellMoments, outputs: int) -> Spread:
    """Return the variation of K outputs and E features, 0 up to rounding."""
    squared, count = diagonal(state.comoment), state.count[:, None]
    size = squared.shape[-1]
    floor = torch.maximum(count * (ROUNDING * state.mean).square(), RESIDUE * state.peak)
    floor = torch.cat([floor, CONSTANT * count * torch.ones_like(state.present)], -1)
    floor = torch.cat([floor, CONSTANT * count * torch.ones_like(state.feature_mean)], -1)
    varying = torch.where(squared > floor, squared, 0.0)
    return Spread(varying.narrow(1, 0, outputs).sqrt(), varying.narrow(1, outputs, size - outputs))


class GroupFits(NamedTuple):
    """Ridge regression on every group of features."""

    scale: Spread
    effective: Float[Tensor, " B"]
    """n, the effective number of observations."""
    ridges: "list[GroupRidge]"
    """One for each group."""
    left_out: list[Float[Tensor, ""]]
    """Added to the log evidence of each group: 0, or `NEVER` for an empty one."""


def fit(
    state: CellMoments, outputs: int, block: Float[Tensor, " E"], groups: Sequence[Float[Tensor, " _"]]
) -> GroupFits:
    """Solve ridge regression on every group of features at every strength; see `read`."""
    scale, count = spread(state, outputs), state.effective_count()
    divisor = _divisor(scale.variance, block)
    size = divisor.shape[-1]
    rows = state.comoment.narrow(1, outputs, size)
    gram, cross = rows.narrow(2, outputs, size), rows.narrow(2, 0, outputs) * _inverse(scale.outputs)[:, None]
    ridges = [
        GroupRidge.on(gram, cross, share * _inverse(divisor.narrow(1, 0, share.shape[0])), count) for share in groups
    ]
    return GroupFits(scale, count, ridges, [torch.where(share.sum() > 0, 0.0, NEVER) for share in groups])


def read(
    state: CellMoments, outputs: int, block: Float[Tensor, " E"], groups: Sequence[Float[Tensor, " _"]]
) -> Readout:
    """Average ridge regression over groups of features and strengths, by evidence.

    Args:
        state: The moments.
        outputs: K.
        block: Which block each feature is of; `NUMBERS` are standardised one by one, all others as a whole.
        groups: For each group the share of its block in the prior variance, for the first E_g features; 0 leaves a
            feature out, and only zeros leave the group out.
    """
    scale, count, ridges, left_out = fit(state, outputs, block, groups)
    size = block.shape[0]
    prior = LOG_PRIOR.to(scale.outputs.device)[:, None]
    evidence = [ridge.strengths.log_likelihood + prior + out for ridge, out in zip(ridges, left_out, strict=True)]
    probability = torch.softmax(torch.cat(evidence, 1), 1)
    every = torch.cat([ridge.weights(size) for ridge in ridges], 1)
    weight = (probability[:, :, None] * every).sum(1)
    root = (torch.sqrt(probability)[:, :, None] * (every - weight[:, None])).permute(0, 3, 2, 1)
    freedom = (count - 1.0).clamp(min=SMALLEST_FREEDOM)[:, None]
    covariance: Tensor = root @ root.mT
    response: Tensor | float = 0.0
    noise, start = torch.zeros_like(scale.outputs), 0
    for ridge in ridges:
        stop = start + ridge.strengths.residual.shape[1]
        own = probability.narrow(1, start, stop - start)
        variance = own * ridge.strengths.residual / freedom[:, None]
        covariance = covariance + ridge.inverse(variance, size, unobserved=True)
        response = response + ridge.inverse(own, size)
        noise, start = noise + variance.sum(1), stop
    assert isinstance(response, Tensor)  # noqa: S101  (there is a group)
    squared = scale.outputs.square()
    used = torch.where(state.count > 0, state.count, 1.0)[:, None]
    return Readout(
        weight * scale.outputs[:, None],
        covariance * squared[..., None, None],
        noise * squared * (count[:, None] + 1.0) / used,
        response,
    )


class GroupRidge(NamedTuple):
    """Ridge regression on the first E_g features, at every strength."""

    unit: Float[Tensor, "B E_g"]
    """Factor of each feature."""
    path: Path
    strengths: Strengths

    @classmethod
    def on(cls, gram: Tensor, cross: Tensor, squared_unit: Tensor, count: Tensor) -> "GroupRidge":
        """Solve it for a Gram matrix (B, E, E), its products with y (B, E, K), and n (B,)."""
        unit, part = squared_unit.sqrt(), squared_unit.shape[-1]
        cross = unit[..., None] * cross.narrow(1, 0, part)
        path = follow(unit[..., None] * gram.narrow(1, 0, part).narrow(2, 0, part) * unit[:, None], cross)
        strengths = ridge_at_every_strength(path, cross, count.clamp(min=1.0))
        return cls(unit, path, strengths)

    def weights(self, features: int) -> Float[Tensor, "B S E K"]:
        """The solutions for unscaled features."""
        weights = self.strengths.solutions * self.unit[:, None, :, None]
        return nn.functional.pad(weights, (0, 0, 0, features - weights.shape[2]))

    def inverse(
        self, factor: Float[Tensor, "B S K"], features: int, *, unobserved: bool = False
    ) -> Float[Tensor, "B K E E"]:
        """Sum factor·(G + aI)⁻¹ over the strengths for unscaled features; `unobserved` adds `null_weights`."""
        size = self.unit.shape[-1]
        inverses = (factor.mT @ self.strengths.inverse_weights) @ self.path.inverses
        if unobserved:
            left = factor.mT @ self.strengths.unobserved_weights[..., None]
            inverses = inverses + left * self.path.unobserved[:, None]
        inverses = (inverses / self.path.unit[..., None]).reshape(*inverses.shape[:2], size, size)
        rest = features - size
        return nn.functional.pad(self.unit[:, None, :, None] * inverses * self.unit[:, None, None], (0, rest, 0, rest))


def _divisor(variance: Float[Tensor, "B E"], block: Float[Tensor, " E"]) -> Float[Tensor, "B E"]:
    """Divisor of a squared feature by which a block has Σ weight·feature² = 1; 0 for a constant feature."""
    same = (block[:, None] == block).to(variance.dtype)
    varying = (variance > 0).to(variance.dtype)
    return torch.where(block == NUMBERS, variance * (varying @ same), varying * (variance @ same))


def _inverse(value: Tensor) -> Tensor:
    """1/value, and 0 for 0."""
    return torch.where(value > 0, 1.0 / value, 0.0)
