"""Evidence: the probability of observations under ridge regression, for every strength and group of features.

With a normal prior of variance τ² on the weights, noise of variance σ² and s = the prior's noise-to-signal ratio, ridge
regression is the posterior mean, and the marginal likelihood of the observations is known in closed form (MacKay,
"Bayesian interpolation", 1992). σ² is integrated out; s has the prior that makes R² = 1/(1 + s) Beta(½, ½)
(Jeffreys), or zero with probability 0.15 (`prior.LOG_PRIOR`). Predictions are averaged over strengths and groups with
the evidence as weight, so nothing is tuned.

Units: the features of a group have Σ weight·φ² = 1 together, y has Σ weight·y² = 1, and the strength of ridge is a =
s/n.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from gdssm import prior
from gdssm.descent_integral import Path, log_determinant_weights, null_weights, ridge_weights
from gdssm.quadrature import LOWEST_RATE

STRENGTHS, LOG_PRIOR = map(torch.from_numpy, (prior.STRENGTHS, prior.LOG_PRIOR))


class Strengths(NamedTuple):
    """Ridge regression on one group of features at S strengths."""

    log_likelihood: Float[Tensor, "B S K"]
    """Of the observations; the log evidence without the prior of s."""
    solutions: Float[Tensor, "B S D K"]
    """The weights of ridge regression."""
    residual: Float[Tensor, "B S K"]
    """q = Σ weight·y·(y − prediction), the share of the noise in Σ weight·y² = 1."""
    inverse_weights: Float[Tensor, "B S J"]
    """Weights of the path's inverses that give (G + aI)⁻¹ at each strength."""
    unobserved_weights: Float[Tensor, "B S"]
    """Weight of unobserved directions."""


def ridge_at_every_strength(path: Path, cross: Float[Tensor, "B D K"], count: Float[Tensor, " B"]) -> Strengths:
    """Return the solution and the likelihood at every strength; the count n is at least 1."""
    scale = count[:, None] * path.unit
    rate = (STRENGTHS.to(cross.device) / scale).clamp(min=LOWEST_RATE)
    weights = ridge_weights(rate)
    batch, inputs, outputs = cross.shape
    solutions = ((weights @ path.solutions) / path.unit[..., None]).reshape(batch, -1, inputs, outputs)
    residual = (1.0 - (solutions * cross[:, None]).sum(2)).clamp(min=prior.SMALLEST_RESIDUAL)
    log_determinant = log_determinant_weights(rate) @ path.traces
    freedom = (count - 1.0)[:, None, None]
    log_likelihood = -0.5 * log_determinant - 0.5 * freedom * torch.log(residual)
    return Strengths(log_likelihood, solutions, residual, weights, null_weights(rate, weights))
