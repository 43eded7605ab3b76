"""Forgetting factors are weighted by the densities with which they have predicted, the recent ones most."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from gdssm.decay_average import DECAYS, POWER, averaged, log_density, probabilities, scored
from tests.closeness import assert_close

F, R, M, K = len(DECAYS), 5, 4, 3
seeds = st.integers(0, 2**32 - 1)


def draw(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Log weights, errors, scales and degrees of freedom."""
    generator = np.random.default_rng(seed)
    log_weight = -generator.exponential(size=F)
    error, scale = generator.normal(size=(F, R, K)), generator.uniform(0.5, 2.0, (F, R, K))
    return log_weight - log_weight.max(), error, scale, generator.uniform(1.0, 30.0, F)


@given(seed=seeds)
def test_the_density_is_that_of_student_t(seed: int) -> None:
    _, error, scale, freedom = draw(seed)
    expected = stats.t.logpdf(error, freedom[:, None, None], scale=scale)
    assert_close(log_density(error, scale, freedom), expected, "log density", rtol=1e-10)


@given(seed=seeds)
def test_a_block_scores_as_its_rows_one_after_the_other(seed: int) -> None:
    log_weight, error, scale, freedom = draw(seed)
    one_by_one = log_weight
    for row in range(R):
        one_by_one = scored(one_by_one, error[:, row : row + 1], scale[:, row : row + 1], freedom)
    at_once = scored(log_weight, error, scale, freedom)
    assert_close(probabilities(at_once), probabilities(one_by_one), "weights", rtol=1e-10)


def test_old_scores_fade() -> None:
    log_weight, error, scale, freedom = draw(1)
    same = np.broadcast_to(error[:1], error.shape), np.broadcast_to(scale[:1], scale.shape)
    after = scored(log_weight, *same, np.full(F, freedom[0]))
    assert_close(after, POWER**R * log_weight, "log weights", rtol=1e-10)


@pytest.mark.parametrize(
    ("scale", "freedom"), [(0.0, 5.0), (np.nan, 5.0), (1.0, 0.0)], ids=["no scale", "no number", "no freedom"]
)
def test_rows_without_a_distribution_change_nothing(scale: float, freedom: float) -> None:
    log_weight, error, scales, _ = draw(2)
    after = scored(log_weight, error, np.full_like(scales, scale), np.full(F, freedom))
    assert_close(after, log_weight, "log weights", rtol=0.0)


def test_a_factor_that_is_sure_and_wrong_loses_its_weight_and_leaves_numbers() -> None:
    log_weight, error, scale, freedom = draw(3)
    scale[2] = 0.0
    after = probabilities(scored(log_weight, error, scale, freedom))
    assert np.isfinite(after).all()
    assert after[2] < 1e-6


@given(seed=seeds)
def test_the_average_has_mean_and_variance_of_the_mixture(seed: int) -> None:
    generator = np.random.default_rng(seed)
    prediction, scale = generator.normal(size=(F, M, K)), generator.uniform(0.1, 2.0, (F, M, K))
    probability = probabilities(-generator.exponential(size=F))
    mean, found = averaged(probability, prediction, scale)
    second = np.einsum("f,fmk->mk", probability, scale**2 + prediction**2)
    assert_close(np.square(found) + np.square(mean), second, "second moment", rtol=1e-10)
    assert_close(mean, np.einsum("f,fmk->mk", probability, prediction), "mean", rtol=1e-10)


def test_equal_answers_average_to_themselves() -> None:
    probability = probabilities(np.linspace(-1, 0, F))
    mean, scale = averaged(probability, np.full((F, M, K), 3.0), np.full((F, M, K), 2.0))
    assert_close(mean, np.full((M, K), 3.0), "mean", rtol=1e-12)
    assert_close(scale, np.full((M, K), 2.0), "scale", rtol=1e-12)
