"""The formulas of the evidence average in two passes over the data of one context, by eigendecomposition."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta  # type: ignore[import-untyped]

from gdssm.feature_plan import FeaturePlan

Array = NDArray[np.float64]
STRENGTHS = 2.0 ** (8.0 - np.arange(30))
R_BETWEEN = 1 / np.sqrt(1 + STRENGTHS[:-1] * 2**-0.5)
JEFFREYS = np.diff(beta(0.5, 0.5).cdf([0.0, *R_BETWEEN**2, 1.0]))
LOG_PRIOR = np.log([0.85 * JEFFREYS[0] + 0.15, *0.85 * JEFFREYS[1:]])
FLOOR = 8 * 30 / 2**46
"""The smallest a that there is, in units of (Σ λ³²)^(1/32)."""


class Distribution(NamedTuple):
    """What a model answers to M queries."""

    prediction: Array
    scale: Array


class Block(NamedTuple):
    """Centred features of the observations and of the queries, and their share of the prior in each group."""

    observed: Array
    asked: Array
    shares: Sequence[float]
    one_by_one: bool = False
    """Whether each column has the same share, whatever its variance."""


class Ridges(NamedTuple):
    """Ridge regression at S strengths for each group of features, of y with unit sum of squares."""

    log_prior: Array
    """Of the strength (S,)."""
    log_likelihood: Array
    """(S, K)."""
    residual: Array
    """(S, K)."""
    freedom: Array
    """Degrees of freedom of the fit (S,)."""
    fitted: Array
    """(S, N, K)."""
    predictions: Array
    """(S, M, K)."""
    forms: Array
    """φᵀ(G + aI)⁻¹φ of each query (S, M)."""


def averaged(blocks: Sequence[Block], y: Array, weight: Array) -> Distribution:
    """Average ridge regression of one context over strengths and groups by evidence, for each of K outputs.

    Args:
        blocks: Of features, (N, E_b) and (M, E_b).
        y: (N, K).
        weight: (N,).
    """
    n, total = weight.sum() ** 2 / (weight**2).sum(), weight.sum()
    y_mean = weight @ y / total
    y_unit = np.sqrt(weight @ (y - y_mean) ** 2)
    found = ridges(blocks, (y - y_mean) / y_unit, weight)
    share = probabilities(found.log_prior[:, None] + found.log_likelihood)
    prediction = np.einsum("sk,smk->mk", share, found.predictions)
    noise = n / total * (1 + 1 / n) + found.forms[..., None]
    own = np.einsum("sk,smk->mk", share * found.residual / (n - 1), noise * np.ones_like(found.predictions))
    between = np.einsum("sk,smk->mk", share, (found.predictions - prediction) ** 2)
    return Distribution(prediction * y_unit + y_mean, np.sqrt(own + between) * y_unit)


def probabilities(log_evidence: Array) -> Array:
    """Weigh strengths and groups (S, ...) by their evidence."""
    share = np.exp(log_evidence - log_evidence.max(0))
    share /= share.sum(0)
    return np.asarray(share)


def ridges(blocks: Sequence[Block], target: Array, weight: Array) -> Ridges:
    """Solve ridge regression on every group of features; target is (N, K)."""
    n, total, found = weight.sum() ** 2 / (weight**2).sum(), weight.sum(), []
    for group in range(len(blocks[0].shares)):
        observed, asked = [], []
        for block in blocks:
            squares = weight @ block.observed**2
            varies = squares > 1e-13 * total
            if block.shares[group] and varies.any():
                divisor = squares[varies] * varies.sum() if block.one_by_one else squares.sum()
                unit = np.sqrt(block.shares[group] / divisor)
                observed.append(block.observed[:, varies] * unit)
                asked.append(block.asked[:, varies] * unit)
        if observed:
            found.append(_ridges(np.hstack(observed), np.hstack(asked), target, weight, n))
    return Ridges(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _ridges(features: Array, asked: Array, target: Array, weight: Array, n: float) -> Ridges:
    values, vectors = np.linalg.eigh(features.T @ (weight[:, None] * features))
    values = values.clip(0)
    cross, along = vectors.T @ (features.T @ (weight[:, None] * target)), asked @ vectors
    a = np.maximum(STRENGTHS / n, FLOOR * (values**32).sum() ** (1 / 32))
    inverses = 1 / (values + a[:, None])
    residual = 1 - inverses @ cross**2
    log_determinant = np.log1p(values / a[:, None]).sum(1)[:, None]
    return Ridges(
        LOG_PRIOR,
        -0.5 * log_determinant - 0.5 * (n - 1) * np.log(residual),
        residual,
        (values * inverses).sum(1),
        np.einsum("ne,se,ek->snk", features @ vectors, inverses, cross),
        np.einsum("me,se,ek->smk", along, inverses, cross),
        np.einsum("me,se->sm", along**2, inverses),
    )


def class_probabilities(blocks: Sequence[Block], y: Array, weight: Array) -> Array:
    """Classify the queries of one context: discriminant analysis of the scores of its observations.

    Args:
        blocks: Of features, (N, E_b) and (M, E_b).
        y: Shares of the classes, (N, C); each is there.
        weight: (N,).
    """
    n, total, classes = weight.sum() ** 2 / (weight**2).sum(), weight.sum(), y.shape[1]
    frequency = weight @ y / total
    unit = np.sqrt(weight @ (y - frequency) ** 2)
    found = ridges(blocks, (y - frequency) / unit, weight)
    likelihood = found.log_likelihood.sum(1) * (classes - 1) / classes
    share = probabilities(found.log_prior + likelihood)
    leverage = min(share @ found.freedom / n, 0.9)
    scores, asked = (frequency + np.tensordot(share, v, 1) * unit for v in (found.fitted, found.predictions))
    members = weight[:, None] * y / (weight @ y)
    means = members.T @ scores
    scatter = sum(
        frequency[c] * (members[:, c, None] * (scores - means[c])).T @ (scores - means[c]) for c in range(classes)
    )
    means = (means - leverage * np.eye(classes)) / (1 - leverage)
    one_more = np.diag(frequency) - np.outer(frequency, frequency)
    covariance = (1 + leverage) * (n * scatter / (1 - leverage) ** 2 + one_more) / (n + 1)
    offset = asked[:, None] - means
    distance = np.einsum("mci,ij,mcj->mc", offset, np.linalg.pinv(covariance, 1e-10, hermitian=True), offset)
    density = (1 + distance / 10) ** (-0.5 * (10 + classes - 1))
    posterior = (n * frequency + 0.5) * density
    posterior /= posterior.sum(1, keepdims=True)
    return np.asarray((n * posterior + 1) / (n + classes))


def columns_of(x: Array, x_query: Array, weight: Array, groups: Sequence[float]) -> list[Block]:
    """Make the blocks of the columns themselves and, where cells are missing, of their indicators."""
    n, there, here = weight.sum() ** 2 / (weight**2).sum(), ~np.isnan(x), ~np.isnan(x_query)
    mean = (weight[:, None] * np.where(there, x, 0)).sum(0) / (weight[:, None] * there).sum(0)
    offset, asked = np.where(there, x - mean, 0), np.where(here, x_query - mean, 0)
    reach = (1 + np.sqrt(max(n - 1, 0))) * np.sqrt(weight @ offset**2 / weight.sum())
    blocks = [Block(offset, asked.clip(-reach, reach), groups, one_by_one=True)]
    if not there.all() or not here.all():
        present = weight @ there / weight.sum()
        blocks.append(Block(there - present, here - present, [0.15] * len(groups)))
    return blocks


def features_of(x: Array, x_query: Array, weight: Array) -> list[Block]:
    """Make the further blocks of the non-linear model for 1, 3 and 5 columns, of all observations at once."""
    n, there = weight.sum() ** 2 / (weight**2).sum(), ~np.isnan(x)
    own = weight[:, None] * there
    mean = (own * np.where(there, x, 0)).sum(0) / own.sum(0)
    spread = np.sqrt((own * np.where(there, x - mean, 0) ** 2).sum(0) / own.sum(0))
    reach = min(4.0, 1 + np.sqrt(n - 1)) if (weight != 0).sum() <= 32 else 4.0
    z, asked = (np.where(np.isnan(v), 0, (v - mean) / spread).clip(-reach, reach) for v in (x, x_query))
    first, second = np.triu_indices(x.shape[1], 1)

    def steps(count: int, sharpness: float) -> Callable[[Array], Array]:
        knots = np.array([-1.4, -0.65, 0, 0.65, 1.4]) if count == 5 else np.linspace(-2.2, 2.2, count)
        return lambda v: np.tanh(sharpness * (v[..., None] - knots)).reshape(len(v), -1)

    def products(v: Array) -> Array:
        bent = 2.5 * np.tanh(v / 2.5)
        return bent[:, first] * bent[:, second]

    makers: dict[int, list[tuple[Callable[[Array], Array], Sequence[float]]]] = {
        1: [(steps(5, 1.6), (0, 0.6, 0, 0)), (steps(12, 3.0), (0, 0, 0.7, 0)), (steps(24, 6.0), (0, 0, 0, 0.9))],
        3: [(steps(5, 1.6), (0, 0.6, 0.4, 0)), (steps(12, 3.0), (0, 0, 0, 0.6)), (products, (0, 0, 0.3, 0.2))],
        5: [(steps(5, 1.6), (0, 0.6, 0.4)), (products, (0, 0, 0.3))],
    }
    blocks = []
    for make, shares in makers[x.shape[1]]:
        observed = make(z)
        center = weight @ observed / weight.sum()
        blocks.append(Block(observed - center, make(asked) - center, shares))
    return blocks


OWN_SHARES = {1: (1, 0.4, 0.3, 0.1), 3: (1, 0.4, 0.3, 0.2), 5: (1, 0.4, 0.3)}


def blocks_of(plan: FeaturePlan, x: Array, x_query: Array, weight: Array, levels: Sequence[int] = ()) -> list[Block]:
    """Make all blocks of the features of one context, some columns of which are levels of categories."""
    numbers = np.setdiff1d(np.arange(x.shape[1]), levels)
    shares = OWN_SHARES[len(numbers)] if plan.makes_features else [1.0]
    own, *indicators = columns_of(x, x_query, weight, shares)
    features = features_of(x[:, numbers], x_query[:, numbers], weight) if plan.makes_features else []
    if not levels:
        return [own, *indicators, *features]
    share = 0.3 if numbers.size else 1.0
    of_levels = Block(own.observed[:, levels], own.asked[:, levels], [share] * len(shares))
    others = [own._replace(observed=own.observed[:, numbers], asked=own.asked[:, numbers]), *features]
    others = [block._replace(shares=[(1 - share) * other for other in block.shares]) for block in others]
    return [*others, of_levels, *indicators]
