"""`classifier` 2.0: class probabilities from the features and the evidence of `nonlinear`."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.class_readout import ClassReadout, class_probabilities, read_classes
from gdssm.evidence_average import NonlinearEvidence
from gdssm.feature_map import FeatureMapState, additive_and_pairs, standardize
from gdssm.notation import Outputs, Predictions, Queries
from gdssm.query_design import design_of, with_blank


class ClassPredictions(NamedTuple):
    """The probabilities of C classes for each query, with `Diagnostics`."""

    prediction: Predictions
    """(B, M, C), each sum 1."""
    degrees_of_freedom: Float[Tensor, " B"]
    clipped: Float[Tensor, "B M"]
    constant: Float[Tensor, "B D"]


class EvidenceClassifier(nn.Module):
    """Ridge regression on one-hot y and features of x, averaged by evidence, and discriminant analysis of its scores.

    The state is that of `NonlinearEvidence`, with C classes instead of K outputs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.regression = NonlinearEvidence()

    def empty_state(
        self, batch: int, inputs: int, classes: int, indicators: int = 0, features: int = 0
    ) -> FeatureMapState:
        """Make the state of `batch` contexts without an observation; G indicators and F features."""
        return self.regression.empty_state(batch, inputs, classes, indicators, features)

    def observe(  # noqa: PLR0917  (the inputs of a graph, in their order)
        self, state: FeatureMapState, x: Queries, y: Outputs, weight: Tensor, additive: Tensor, pairs: Tensor
    ) -> FeatureMapState:
        """Add N observations to the state, N may be 0; see `NonlinearEvidence.observe`.

        y is one-hot, or holds shares of the classes (B, N, C). Negative entries count as 0, and each row is divided by
        its sum; a row without positive entries is uniform.
        """
        share = y.clamp(min=0.0)
        total = share.sum(-1, keepdim=True)
        even = torch.ones_like(y) / torch.ones_like(y).sum(-1, keepdim=True)
        share = torch.where(total > 0, share / torch.where(total > 0, total, 1.0), even)
        return self.regression.observe(state, x, share, weight, additive, pairs)

    def readout(self, state: FeatureMapState, classes: int, block: Tensor, *groups: Tensor) -> ClassReadout:
        """Return the readout of a state; see `read_classes`."""
        return read_classes(state.moments(), classes, block, groups)

    def predict(
        self, state: FeatureMapState, readout: ClassReadout, x_query: Queries, additive: Tensor, pairs: Tensor
    ) -> ClassPredictions:
        """Answer M queries, M may be 0; a missing cell is NaN."""
        moments, classes, queries = state.moments(), readout.center.shape[-1], x_query.shape[1]
        x_query = with_blank(x_query)
        features = additive_and_pairs(standardize(x_query, state.scale()), additive, pairs)
        design, diagnostics = design_of(moments, classes, x_query, features)
        frequency, count = moments.mean.narrow(1, 0, classes), moments.effective_count()
        probability = class_probabilities(readout, design, frequency, count)
        return ClassPredictions(probability.narrow(1, 0, queries), *diagnostics)
