"""`linear` 2.0 and `nonlinear`: gradient descent averaged over its stopping time by evidence, with nothing to tune.

Both read a state of moments (`cell_moments`) by one linear readout (`readout`); they differ in the features that they
add to the columns of x (`feature_map`), and in that a map of features needs a scale before the context is complete.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm import cell_moments
from gdssm.cell_moments import CellMoments
from gdssm.feature_map import FeatureMapState, additive_and_pairs, standardize
from gdssm.notation import Inputs, Outputs, Predictions, Queries, Weight
from gdssm.readout import Readout, read, spread


class Answer(NamedTuple):
    """A predictive Student t distribution for each query and output."""

    prediction: Predictions
    """Its mean, or median."""
    scale: Predictions
    degrees_of_freedom: Float[Tensor, " B"]
    """0 for no more than one observation: then there is no scale."""
    clipped: Float[Tensor, "B M"]
    """How many columns of a query lie further out than any observation can, and were taken as that far out."""
    constant: Float[Tensor, "B D"]
    """1 for a column of x that does not vary in the context, and so is left out."""


class LinearEvidence(nn.Module):
    """Ridge regression averaged over its strength, on x as it is; `linear` in the zoo."""

    def empty_state(self, batch: int, inputs: int, outputs: int, indicators: int = 0) -> CellMoments:
        """Make the state of `batch` contexts without an observation; G indicators, D where cells may be missing."""
        return cell_moments.empty(batch, inputs + outputs, indicators, 0)

    def observe(self, state: CellMoments, x: Inputs, y: Outputs, weight: Weight) -> CellMoments:
        """Add N observations to the state, N may be 0; a missing cell of x is NaN."""
        return cell_moments.add(state, x, y, x.new_zeros(*x.shape[:2], 0), weight)

    def readout(self, state: CellMoments, outputs: int, block: Tensor, *groups: Tensor) -> Readout:
        """Find what the state answers with; see `readout.read`."""
        return read(state, outputs, block, groups)

    def predict(self, state: CellMoments, readout: Readout, x_query: Queries) -> Answer:
        """Answer M queries, M may be 0; a missing cell is NaN."""
        x_query = _with_blank(x_query)
        return _answer(state, readout, x_query, x_query.new_zeros(*x_query.shape[:2], 0))


class NonlinearEvidence(nn.Module):
    """The same on features of x; `nonlinear` in the zoo.

    The first `BUFFERED` observations are kept, and their own mean and spread scale the features; with one more, the
    scale of all that is there is frozen, and the rows are dropped.
    """

    def empty_state(
        self, batch: int, inputs: int, outputs: int, indicators: int = 0, features: int = 0
    ) -> FeatureMapState:
        """Make the state of `batch` contexts without an observation; G indicators and F features."""
        return FeatureMapState.empty(batch, inputs, outputs, indicators, features)

    def observe(  # noqa: PLR0917  (the inputs of a graph, in their order)
        self, state: FeatureMapState, x: Inputs, y: Outputs, weight: Weight, additive: Tensor, pairs: Tensor
    ) -> FeatureMapState:
        """Add N observations to the state, N may be 0; a missing cell of x is NaN.

        Args:
            state: What was observed.
            x: (B, N, D).
            y: (B, N, K).
            weight: (B, N).
            additive: Column, sharpness and knot of each additive feature (A, 3).
            pairs: The two columns of each product (P, 2).
        """
        x, y, weight = state.with_buffer(x, y, weight)
        scale = state.scale_with(x, weight)
        features = additive_and_pairs(standardize(x, scale), additive, pairs)
        after = cell_moments.add(state.kept_moments(), x, y, features, weight)
        return state.after(after, scale, x, y, weight)

    def readout(self, state: FeatureMapState, outputs: int, block: Tensor, *groups: Tensor) -> Readout:
        """Find what the state answers with; see `readout.read`."""
        return read(state.moments(), outputs, block, groups)

    def predict(
        self, state: FeatureMapState, readout: Readout, x_query: Queries, additive: Tensor, pairs: Tensor
    ) -> Answer:
        """Answer M queries, M may be 0; a missing cell is NaN."""
        x_query = _with_blank(x_query)
        features = additive_and_pairs(standardize(x_query, state.scale()), additive, pairs)
        return _answer(state.moments(), readout, x_query, features)


def _answer(state: CellMoments, readout: Readout, x_query: Queries, features: Float[Tensor, "B M F"]) -> Answer:
    """Apply a readout to queries, of which the last is blank.

    n observations lie no further than √(n−1) standard deviations from their mean, so a query is moved in to
    1 + √(n−1): nothing is known of what is beyond, and with few observations an answer from there would be extreme.
    """
    outputs = readout.noise.shape[-1]
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
    prediction = design @ readout.weight + state.mean.narrow(1, 0, outputs)[:, None]
    bent = design[:, None] @ readout.covariance
    square = (bent * design[:, None]).sum(-1).clamp(min=0.0) + readout.noise[..., None]
    clipped = (varying & (near != offset)).to(x_query.dtype).sum(-1)
    queries = x_query.shape[1] - 1
    return Answer(
        prediction.narrow(1, 0, queries),
        square.sqrt().mT.narrow(1, 0, queries),
        (count - 1.0).clamp(min=0.0),
        clipped.narrow(1, 0, queries),
        1.0 - varying[:, 0].to(x_query.dtype),
    )


def _with_blank(x_query: Queries) -> Float[Tensor, "B M+1 D"]:
    """Add a query, so that there always is one: onnxruntime 1.31 cannot multiply or sum over a batch of none."""
    return nn.functional.pad(x_query, (0, 0, 0, 1))
