"""The readout of a classifier's state with many features, by eigendecomposition; see `wide_readout`.

The same numbers as `gdssm.class_readout`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gdssm import prior
from service.inference.sizes import Array
from service.inference.wide_readout import F64, Fits, contexts, eigen, fit, inverse_or_zero

SMALLEST = 1e-12
"""Eigenvalues of a covariance, compared with its largest: smaller ones are rounding."""


def wide_class_readout(
    state: Mapping[str, Array], classes: int, block: Array, groups: Sequence[Array]
) -> dict[str, Array]:
    """Work out the inputs `cached.*` of a graph.

    Args:
        state: By input name, of B contexts.
        classes: C.
        block: The block of each feature (E,).
        groups: The share of each feature's block, one entry for each group.
    """
    found = [_of_one(one, classes, block, groups) for one in contexts(state)]
    names = ("cached.weight", "cached.metric", "cached.center")
    return {name: np.stack(parts) for name, parts in zip(names, zip(*found, strict=True), strict=True)}


def _of_one(state: Mapping[str, Array], classes: int, block: Array, groups: Sequence[Array]) -> tuple[F64, F64, F64]:
    """Describe the scores of the classes of one context: weights (E, C), metric and centers (C, C)."""
    fits = fit(state, classes, block, groups)
    frequency = state["state.mean"][:classes].clip(min=0.0)
    varying = (fits.y_scale > 0) & (frequency * (1.0 - frequency) > prior.SMALLEST_SHARE)
    gram, cross = state["state.comoment"][classes:, classes:], state["state.comoment"][classes:, :classes]
    weight, leverage = _average(fits, varying, len(block), gram)
    weight *= fits.y_scale
    seen = fits.total * frequency
    center = inverse_or_zero(seen * varying)[:, None] * (weight.T @ cross).T
    between = (center * seen[:, None]).T @ center
    within = (weight.T @ gram @ weight - between) * (fits.effective / fits.total if fits.total > 0 else 0.0)
    both = varying[:, None] & varying
    center = both * (center - leverage * (np.eye(classes) - frequency)) / (1.0 - leverage)
    total = both * (np.diag(frequency) - np.outer(frequency, frequency))
    covariance = (within / (1.0 - leverage) ** 2 + total) / (fits.effective + 1.0)
    return weight, _inverse(covariance, total.diagonal()) / (1.0 + leverage), center


def _average(fits: Fits, varying: NDArray[np.bool_], size: int, gram: F64) -> tuple[F64, float]:
    """Average the weights (E, C), for y of unit scale, and the share that an observation has in its own score."""
    share = max(varying.sum() - 1, 0) / max(varying.sum(), 1)
    evidence = np.concatenate(
        [
            prior.LOG_PRIOR + out + share * ridge.log_likelihood[:, varying].sum(1)
            for ridge, out in zip(fits.ridges, fits.left_out, strict=True)
        ]
    )
    probability = np.exp(evidence - evidence.max())
    probability /= probability.sum()
    weight, freedom = np.zeros((size, len(varying))), 0.0
    for ridge, own in zip(fits.ridges, np.split(probability, len(fits.ridges)), strict=True):
        part = len(ridge.unit)
        weight[:part] += np.einsum("s,sek->ek", own, ridge.solutions)
        freedom += float((ridge.inverse(own) * gram[:part, :part]).sum())
    return weight, min(freedom / fits.effective if fits.effective > 0 else 0.0, prior.LARGEST_LEVERAGE)


def _inverse(covariance: F64, unit: F64) -> F64:
    """Invert where scores vary; 0 elsewhere, and along 1, which scores do not vary along."""
    root = np.sqrt(unit.clip(min=0.0))
    there = root > 0
    inverse = np.zeros_like(covariance)
    if there.any():
        own = root[there]
        null = own / np.sqrt(own @ own)
        scaled = covariance[np.ix_(there, there)] / np.outer(own, own) + np.outer(null, null)
        values, vectors = eigen(scaled)
        inverted = (vectors / values.clip(min=SMALLEST * values[-1])) @ vectors.T
        inverse[np.ix_(there, there)] = (inverted - np.outer(null, null)) / np.outer(own, own)
    return inverse
