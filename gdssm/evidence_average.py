"""`linear` 2.0 and `nonlinear`: gradient descent averaged over its stopping time by evidence.

Both read a state of moments (`cell_moments`) by one linear readout (`readout`); they differ in the features that they
add to the columns of x (`feature_map`).
"""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from gdssm import cell_moments
from gdssm.cell_moments import CellMoments
from gdssm.feature_map import FeatureMapState, additive_and_pairs, standardize
from gdssm.notation import Inputs, Outputs, Predictions, Queries, Weight
from gdssm.query_design import design_of, with_blank
from gdssm.readout import Readout, read


class PredictiveDistribution(NamedTuple):
    """A predictive Student t distribution for each query and output."""

    prediction: Predictions
    """Its mean, or median."""
    scale: Predictions
    degrees_of_freedom: Float[Tensor, " B"]
    """0 for at most one observation: there is no scale then."""
    clipped: Float[Tensor, "B M"]
    """Number of clipped columns of a query, see `design_of`."""
    constant: Float[Tensor, "B D"]
    """1 for a column of x that is constant in the context and left out."""


class LinearEvidence(nn.Module):
    """Ridge regression on x, averaged over its strength; `linear` in the zoo."""

    def empty_state(self, batch: int, inputs: int, outputs: int, indicators: int = 0) -> CellMoments:
        """Make the state of `batch` contexts without an observation; G indicators, D where cells may be missing."""
        return cell_moments.empty(batch, inputs + outputs, indicators, 0)

    def observe(self, state: CellMoments, x: Inputs, y: Outputs, weight: Weight) -> CellMoments:
        """Add N observations to the state, N may be 0; a missing cell of x is NaN."""
        return cell_moments.add(state, x, y, x.new_zeros(*x.shape[:2], 0), weight)

    def readout(self, state: CellMoments, outputs: int, block: Tensor, *groups: Tensor) -> Readout:
        """Return the readout of a state; see `readout.read`."""
        return read(state, outputs, block, groups)

    def predict(self, state: CellMoments, readout: Readout, x_query: Queries) -> PredictiveDistribution:
        """Predict M queries, M may be 0; a missing cell is NaN."""
        x_query = with_blank(x_query)
        return _answer(state, readout, x_query, x_query.new_zeros(*x_query.shape[:2], 0))


class NonlinearEvidence(nn.Module):
    """Ridge regression on features of x, averaged over groups and strengths; `nonlinear` in the zoo.

    The first `BUFFERED` observations are kept, and their mean and spread scale the features; with one more, the scale
    is frozen and the rows are dropped.
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

        Rows of `additive` (A, 3) are column, sharpness and knot of a feature, those of `pairs` (P, 2) two columns.
        """
        x, y, weight = state.with_buffer(x, y, weight)
        scale = state.scale_with(x, weight)
        features = additive_and_pairs(standardize(x, scale), additive, pairs)
        after = cell_moments.add(state.kept_moments(), x, y, features, weight)
        return state.after(after, scale, x, y, weight)

    def readout(self, state: FeatureMapState, outputs: int, block: Tensor, *groups: Tensor) -> Readout:
        """Return the readout of a state; see `readout.read`."""
        return read(state.moments(), outputs, block, groups)

    def predict(
        self, state: FeatureMapState, readout: Readout, x_query: Queries, additive: Tensor, pairs: Tensor
    ) -> PredictiveDistribution:
        """Predict M queries, M may be 0; a missing cell is NaN."""
        x_query = with_blank(x_query)
        features = additive_and_pairs(standardize(x_query, state.scale()), additive, pairs)
        return _answer(state.moments(), readout, x_query, features)


def _answer(
    state: CellMoments, readout: Readout, x_query: Queries, features: Float[Tensor, "B M F"]
) -> PredictiveDistribution:
    """Apply a readout to queries, of which the last is blank."""
    outputs, queries = readout.noise.shape[-1], x_query.shape[1] - 1
    design, diagnostics = design_of(state, outputs, x_query, features)
    prediction = design @ readout.weight + state.mean.narrow(1, 0, outputs)[:, None]
    bent = design[:, None] @ readout.covariance
    square = (bent * design[:, None]).sum(-1).clamp(min=0.0) + readout.noise[..., None]
    return PredictiveDistribution(
        prediction.narrow(1, 0, queries), square.sqrt().mT.narrow(1, 0, queries), *diagnostics
    )
