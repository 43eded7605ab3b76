"""Least squares on one-hot targets: a classifier that streams.

The scores of K gradient steps sum to 1 but may leave [0, 1], and are shrunk towards the shares of the classes. A
softmax with the right sharpness undoes that: for normal classes of one covariance, balanced and equally far apart, k =
(1 − 1/C)/v makes softmax(k·scores) the posterior of linear discriminant analysis, v being the mean residual variance of
the scores, which follows from the moments.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.model import StandardizedDescent
from gdssm.moments import Moments, diagonal
from gdssm.notation import Inputs, Outputs, Predictions, Queries, Weight


class LeastSquaresClassifier(nn.Module):
    """K gradient steps on standardised data and one-hot y, read as class probabilities (C classes in the place of K).

    Two additions bound the certainty of a small context: one unexplained observation in v, and one more of every class
    in the probabilities (Laplace's rule of succession). So all are positive, and uniform without observations.

    Args:
        steps: The number of gradient steps.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.descent = StandardizedDescent(steps)

    def empty_state(self, batch: int, inputs: int, outputs: int) -> Moments:
        """Make the state of `batch` contexts without an observation."""
        return self.descent.empty_state(batch, inputs, outputs)

    def observe(self, state: Moments, x: Inputs, y: Outputs, weight: Weight) -> Moments:
        """Add N observations to the state, N may be 0; y is one-hot (B, N, C)."""
        return self.descent.observe(state, x, y, weight)

    def predict(self, state: Moments, x_query: Queries) -> Predictions:
        """Give M queries their class probabilities (B, M, C), each summing to 1; M may be 0."""
        scores = self.descent.predict(state, x_query)
        classes = scores.shape[-1]
        count = state.count.clamp(min=0.0)[:, None, None]
        # k = (1 − 1/C)/v with v = (residual + 1 − 1/C)/(C·count), without dividing sizes: the exporter does that in
        # single precision.
        unexplained = classes * self._residual(state, x_query.shape[-1]) + (classes - 1)
        sharpness = count * (classes * (classes - 1)) / torch.where(unexplained > 0, unexplained, 1.0)
        return (count * torch.softmax(sharpness * scores, -1) + 1.0) / (count + classes)

    def _residual(self, state: Moments, inputs: int) -> Float[Tensor, "B 1 1"]:
        """Sum the squared residuals of all classes over the observations, from the moments.

        With E (D, C) the response of the scores to one standard deviation of every input, and the comoment's blocks
        in these units, it is tr(YY − 2 EᵀXY + EᵀXX E).
        """
        count = torch.where(state.count > 0, state.count, 1.0)[:, None]
        spread = (diagonal(state.comoment)[:, :inputs].clamp(min=0.0) / count).sqrt()
        probes = state.mean[:, None, :inputs] + torch.diag_embed(spread)
        response = self.descent.predict(state, probes) - state.mean[:, None, inputs:]
        raw = response / torch.where(spread > 0, spread, 1.0)[..., None]
        within, cross = state.comoment[:, :inputs, :inputs], state.comoment[:, :inputs, inputs:]
        explained = (raw * (2.0 * cross - within @ raw)).sum((1, 2))
        total = diagonal(state.comoment)[:, inputs:].sum(-1)
        return (total - explained).clamp(min=0.0)[:, None, None]
