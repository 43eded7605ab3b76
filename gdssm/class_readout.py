"""From moments to class probabilities: linear discriminant analysis of the scores of ridge regression.

Ridge regression on one-hot y, averaged over groups of features and strengths by one evidence for all classes, gives a
query C scores that sum to 1. Their mean and covariance within a class follow from the moments: the sums of the features
of a class are its row of the comoment. The scores of observations are closer to their class than those of a query,
because they were fitted to it. With df degrees of freedom in the fit, a share h = df/n of the score of an observation
is its own y; leaving it out moves the mean of class c to (M_c − h·e_c)/(1 − h) and multiplies residuals by 1/(1 − h).

The scores of a class are taken as Student t distributed: normal tails would make distant queries too certain.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from gdssm.cell_moments import CellMoments
from gdssm.evidence import LOG_PRIOR
from gdssm.moments import diagonal
from gdssm.prior import INVERSE_DOUBLINGS, LARGEST_LEVERAGE, NEVER, SMALLEST_SHARE, TAIL_FREEDOM
from gdssm.readout import GroupFits, fit


class ClassReadout(NamedTuple):
    """The readout of a state; C classes instead of K outputs."""

    weight: Float[Tensor, "B E C"]
    """Scores are the class frequencies plus weightᵀ·(features − their means)."""
    metric: Float[Tensor, "B C C"]
    """The inverse covariance of the scores of a new observation within its class; 0 without two classes."""
    center: Float[Tensor, "B C C"]
    """Row c: the mean scores of class c, less the class frequencies."""


def read_classes(
    state: CellMoments, classes: int, block: Float[Tensor, " E"], groups: Sequence[Float[Tensor, " _"]]
) -> ClassReadout:
    """Average ridge regression over groups and strengths, and describe the scores of each class."""
    fits = fit(state, classes, block, groups)
    frequency, count = state.mean.narrow(1, 0, classes).clamp(min=0.0), state.count[:, None]
    some_but_not_all = frequency * (1.0 - frequency) > SMALLEST_SHARE
    varying = ((fits.scale.outputs > 0) & some_but_not_all).to(state.mean.dtype)
    probability = _probability(fits, varying)
    size = block.shape[0]
    every = torch.cat([ridge.weights(size) for ridge in fits.ridges], 1)
    weight = (probability * every.flatten(2)).sum(1).reshape(-1, size, classes) * fits.scale.outputs[:, None]
    moments = state.comoment.narrow(1, classes, size)
    gram, cross = moments.narrow(2, classes, size), moments.narrow(2, 0, classes)
    leverage = _leverage(fits, probability, gram)
    seen = torch.where(varying > 0, count * frequency, 1.0)
    center = varying[..., None] * (weight.mT @ cross).mT / seen[..., None]
    between = (center * (varying * count * frequency)[..., None]).mT @ center
    some = torch.where(count > 0, count, 1.0)[..., None]
    within = (weight.mT @ gram @ weight - between) / some * fits.effective[:, None, None]
    both = varying[:, None] * varying[..., None]
    place = torch.arange(classes, device=frequency.device)
    identity = (place[:, None] == place).to(frequency.dtype)
    offset = identity - frequency[:, None]
    center = both * (center - leverage * offset) / (1.0 - leverage)
    total = both * (identity * frequency[:, None] - frequency[:, None] * frequency[..., None])
    # One more, unexplained observation bounds the certainty of a small context.
    covariance = (within / (1.0 - leverage).square() + total) / (fits.effective[:, None, None] + 1.0)
    return ClassReadout(weight, _inverse(covariance, diagonal(total)) / (1.0 + leverage), center)


def class_probabilities(
    readout: ClassReadout, design: Float[Tensor, "B M E"], frequency: Float[Tensor, "B C"], count: Float[Tensor, " B"]
) -> Float[Tensor, "B M C"]:
    """Return the probabilities of the classes for centred features of queries.

    One more observation of every class is counted (Laplace's rule of succession), so all are positive, and uniform
    without observations.
    """
    scores = design @ readout.weight
    measured, centers = scores @ readout.metric, readout.center @ readout.metric
    own = (measured * scores).sum(-1, keepdim=True) + (centers * readout.center).sum(-1)[:, None]
    distance = (own - 2.0 * measured @ readout.center.mT).clamp(min=0.0)
    n, there = count[:, None], frequency > SMALLEST_SHARE
    classes = there.to(frequency.dtype).sum(-1, keepdim=True)
    log_prior = torch.where(there, torch.log(n * frequency.clamp(min=0.0) + 0.5), NEVER)[:, None]
    power = 0.5 * (TAIL_FREEDOM - 1.0 + classes)[:, None]
    posterior = torch.softmax(log_prior - power * torch.log(1.0 + distance / TAIL_FREEDOM), -1)
    every = torch.ones_like(frequency).sum(-1, keepdim=True)
    return (n[..., None] * posterior + 1.0) / (n + every)[..., None]


def _probability(fits: GroupFits, varying: Float[Tensor, "B C"]) -> Float[Tensor, "B S 1"]:
    """Weight strengths and groups by one evidence for all classes: C − 1 of their C likelihoods are independent."""
    classes = varying.sum(1)
    share = (classes - 1.0).clamp(min=0.0) / classes.clamp(min=1.0)
    evidence, prior = [], LOG_PRIOR.to(varying.device)[:, None]
    for ridge, out in zip(fits.ridges, fits.left_out, strict=True):
        likelihood = (ridge.strengths.log_likelihood * varying[:, None]).sum(2, keepdim=True)
        evidence.append(prior + likelihood * share[:, None, None] + out)
    return torch.softmax(torch.cat(evidence, 1), 1)


def _leverage(
    fits: GroupFits, probability: Float[Tensor, "B S 1"], gram: Float[Tensor, "B E E"]
) -> Float[Tensor, "B 1 1"]:
    """The mean share h = df/n of an observation in its score; df = Σ π·tr((G + aI)⁻¹ G)."""
    start, size, freedom = 0, gram.shape[-1], torch.zeros_like(fits.effective)
    for ridge in fits.ridges:
        stop = start + ridge.strengths.residual.shape[1]
        inverse = ridge.inverse(probability.narrow(1, start, stop - start), size)
        freedom, start = freedom + (inverse[:, 0] * gram).sum((1, 2)), stop
    count = torch.where(fits.effective > 0, fits.effective, 1.0)
    return (freedom / count).clamp(max=LARGEST_LEVERAGE)[:, None, None]


def _inverse(covariance: Float[Tensor, "B C C"], unit: Float[Tensor, "B C"]) -> Float[Tensor, "B C C"]:
    """Invert where scores vary: gradient descent on ½·tr(PᵀSP) − tr P from P = 0, its steps doubled as in `follow`.

    Scores sum to a constant, so 1 is in the null space of their covariance, where a one is put.

    Args:
        covariance: Of scores.
        unit: Of the squared score of each class; 0 for one that is left out.
    """
    root = unit.clamp(min=0.0).sqrt()
    inverse_root = torch.where(root > 0, 1.0 / root, 0.0)
    norm = root.square().sum(1, keepdim=True)
    null = root * torch.where(norm > 0, norm, 1.0).rsqrt()
    there = torch.diag_embed((root > 0).to(root.dtype))
    scaled = inverse_root[..., None] * covariance * inverse_root[:, None] + null[..., None] * null[:, None]
    bound = scaled.square().sum((1, 2), keepdim=True).sqrt()
    step = 1.0 / torch.where(bound > 0, bound, 1.0)
    left, inverse = there - step * scaled, step * there
    for _ in range(INVERSE_DOUBLINGS):
        # Entries are within ±1, except for negative weights without earlier observations.
        inverse, left = inverse + left @ inverse, (left @ left).clamp(min=-1.0, max=1.0)
    inverse = inverse - null[..., None] * null[:, None]
    return inverse_root[..., None] * inverse * inverse_root[:, None]
