"""Evidence is the marginal likelihood of the observations, times a prior of R²."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import beta  # type: ignore[import-untyped]
from torch import Tensor

from gdssm.descent_integral import follow
from gdssm.evidence import LOG_PRIOR, STRENGTHS, Strengths, ridge_at_every_strength
from gdssm.prior import SMALLEST_RESIDUAL
from gdssm.quadrature import DOUBLINGS, LOWEST_RATE
from tests.closeness import assert_close

B, D, K = 2, 5, 3
Array = NDArray[np.float64]
RESIDUAL = 1e-7
"""What the path leaves of q, relative to its largest entry; half of n − 1 times as much of a log evidence."""


def context(observations: int, noise: float = 0.5) -> tuple[Tensor, Tensor]:
    """Draw features with Σ φ² = 1 together and y with Σ y² = 1, as the evidence takes them, with means of 0."""
    generator = torch.Generator().manual_seed(observations)

    def draw(*sizes: int) -> Tensor:
        return torch.randn(B, *sizes, dtype=torch.float64, generator=generator)

    x = draw(observations, D) @ draw(D, D)
    y = x @ draw(D, K) + noise * draw(observations, K)
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    return x / x.square().sum((1, 2), keepdim=True).sqrt(), y / y.square().sum(1, keepdim=True).sqrt()


def ridges(x: Tensor, y: Tensor, count: float | None = None) -> Strengths:
    gram, cross = x.mT @ x, x.mT @ y
    counts = torch.full((B,), x.shape[1] if count is None else count, dtype=torch.float64)
    return ridge_at_every_strength(follow(gram, cross), cross, counts)


def lowest(x: Tensor, count: float | None = None, rate: float = LOWEST_RATE) -> Tensor:
    """Give the lowest strength (B, 1): 3e-12·n times the largest eigenvalue."""
    return rate * follow(x.mT @ x, x.mT @ x).unit * (x.shape[1] if count is None else count)


def exact(x: Tensor) -> list[float]:
    """List the strengths at which all of the average is on the path, whatever the eigenvalues."""
    return STRENGTHS[(lowest(x, rate=30.0 / 2.0**DOUBLINGS) < STRENGTHS).all(0)].tolist()


def log_likelihood(x: Array, y: Array, ratio: float) -> float:
    """Give the log likelihood of centred y (N,) under signal of variance τ²xxᵀ and noise σ², σ² = `ratio`·τ²/N.

    In the space of observations, with 1/σ² as the prior of σ² and a flat one of the intercept; constants left out.
    """
    covariance = np.eye(len(y)) + x @ x.T * len(y) / ratio
    _, log_determinant = np.linalg.slogdet(covariance)
    likelihood: float = -0.5 * log_determinant - 0.5 * (len(y) - 1) * np.log(y @ np.linalg.solve(covariance, y))
    return likelihood


@pytest.mark.parametrize("observations", [2, 3, 7, 20, 101])
def test_it_is_the_marginal_likelihood(observations: int) -> None:
    x, y = context(observations)
    found = ridges(x, y).log_likelihood
    for b in range(B):
        for k in range(K):
            expected = [log_likelihood(x[b].numpy(), y[b, :, k].numpy(), s) for s in exact(x)]
            difference = found[b, : len(expected), k].numpy() - expected
            assert np.abs(difference - difference[0]).max() < RESIDUAL * (observations + 1) / 2


@pytest.mark.parametrize("observations", [3, 7, 101])
def test_solutions_and_residuals_are_those_of_ridge_regression(observations: int) -> None:
    x, y = context(observations)
    found = ridges(x, y)
    identity = torch.eye(D, dtype=torch.float64)
    for place, ratio in enumerate(exact(x)):
        strength = ratio / observations
        weight = torch.linalg.solve(x.mT @ x + strength * identity, x.mT @ y)
        assert_close(found.solutions[:, place], weight, f"solution {place}", rtol=1e-6)
        residual = (y * (y - x @ weight)).sum(1)
        assert_close(found.residual[:, place], residual, f"residual {place}", rtol=RESIDUAL)


def test_in_the_prior_r_squared_is_zero_or_beta_of_two_halves() -> None:
    """The probability up to halfway (in log s) to the next strength is that of R² up to there."""
    halfway = (STRENGTHS * STRENGTHS.roll(-1)).sqrt()[:-1].numpy()
    expected = 0.15 + 0.85 * beta(0.5, 0.5).cdf(1 / (1 + halfway))
    assert_close(LOG_PRIOR.exp().cumsum(0)[:-1], expected, "distribution of R²")
    assert_close(LOG_PRIOR.exp().sum(), torch.ones((), dtype=torch.float64), "probability")


def test_no_columns_vary_and_every_strength_is_as_likely() -> None:
    x, y = context(7)
    found = ridges(torch.zeros_like(x), y)
    assert not found.solutions.any()
    assert_close(found.residual, torch.ones(B, len(STRENGTHS), K, dtype=torch.float64), "residual")
    assert found.log_likelihood.abs().max() < 1e-12


def test_one_observation_has_no_evidence() -> None:
    x, y = context(7)
    likelihood = ridges(x, y, count=1.0).log_likelihood
    assert_close(likelihood[..., 1], likelihood[..., 0], "log likelihood")


def test_an_exact_fit_keeps_a_residual_that_is_not_rounding() -> None:
    x, y = context(101, noise=0.0)
    found = ridges(x, y)
    assert (found.residual >= SMALLEST_RESIDUAL).all()
    assert torch.isfinite(found.log_likelihood).all()
    # 0.0001 of y is noise in the prior at the lowest strength.
    assert (found.residual.amin(1) < 1e-4).all()


def test_strengths_below_the_paths_reach_are_raised_to_it() -> None:
    x, y = context(7)
    count = 1e18
    assert (lowest(x, count) > STRENGTHS).all()
    likelihood = ridges(x, y, count=count).log_likelihood
    assert_close(likelihood[:, 1:], likelihood[:, :1].expand(-1, len(STRENGTHS) - 1, -1), "log likelihood")
