"""Columns that are levels of categories: the average over them is the Bayesian one, and useless ones do little harm."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gdssm import feature_plan
from gdssm.evidence_classifier import EvidenceClassifier
from gdssm.feature_plan import FeaturePlan
from tests.closeness import assert_close
from tests.gdssm.evidence_oracle import blocks_of, class_probabilities
from tests.gdssm.test_evidence_average import B, K, M, answer, compare, context, predict

Array = NDArray[np.float64]
LEVELS = (1, 2, 4, 5, 7, 8)
"""Of nine columns: four levels of one category and two of another; columns 0, 3 and 6 are numbers."""
NUMBERS = [0, 3, 6]
PLANS = pytest.mark.parametrize("plan", [feature_plan.LINEAR, feature_plan.NONLINEAR], ids=["linear", "nonlinear"])


def one_hot(rng: np.random.Generator, rows: int, levels: int) -> Array:
    """Draw categories (B, rows, levels), the first levels more often than the last."""
    share = np.arange(levels, 0, -1.0)
    rows_of: Array = np.eye(levels)[rng.choice(levels, (B, rows), p=share / share.sum())]
    return rows_of


def with_levels(x: Array, of: Array) -> Array:
    """Put three numbers and six levels into their columns."""
    columns = np.zeros((*x.shape[:2], x.shape[2] + of.shape[2]))
    columns[..., NUMBERS], columns[..., LEVELS] = x, of
    return columns


def task(observations: int, missing: float = 0.0) -> tuple[Array, Array, Array, Array]:
    """Draw x with levels, y that depends on them, x_query and weights."""
    x, y, x_query, weight = context(observations, len(NUMBERS), missing=missing)
    rng = np.random.default_rng(observations)
    seen, asked = (np.concatenate([one_hot(rng, rows, 4), one_hot(rng, rows, 2)], 2) for rows in (observations, M))
    return with_levels(x, seen), y + seen @ rng.normal(size=(6, K)), with_levels(x_query, asked), weight


@PLANS
@pytest.mark.parametrize("observations", [7, 20, 33, 101])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_average_is_the_bayesian_one(plan: FeaturePlan, observations: int, missing: float) -> None:
    x, y, x_query, weight = task(observations, missing)
    compare(plan, x, y, x_query, np.ones_like(weight), LEVELS)
    compare(plan, x, y, x_query, weight, LEVELS)


@PLANS
def test_levels_alone_are_a_bayesian_average_of_group_means(plan: FeaturePlan) -> None:
    x, y, x_query, weight = task(40)
    alone = x[..., LEVELS], y, x_query[..., LEVELS], weight, tuple(range(len(LEVELS)))
    compare(feature_plan.LINEAR, *alone)
    found, expected = answer(plan, *alone), answer(feature_plan.LINEAR, *alone)
    assert_close(found.prediction, expected.prediction, "prediction")
    assert_close(found.scale, expected.scale, "scale")


@pytest.mark.parametrize("observations", [7, 20, 33, 101])
def test_probabilities_are_those_of_the_scores(observations: int) -> None:
    x, y, x_query, weight = task(observations)
    label = y.argmax(2)
    label[:, :K] = np.arange(K)
    shares = np.eye(K)[label]
    tables = {name: torch.from_numpy(v) for name, v in feature_plan.NONLINEAR.tables(x.shape[2], 0, LEVELS).items()}
    maps, model = [tables["additive"], tables["pairs"]], EvidenceClassifier()
    groups = (tables[f"group.{group}"] for group in range(feature_plan.NONLINEAR.groups))
    state = model.empty_state(B, x.shape[2], K, 0, sum(map(len, maps)))
    seen = [torch.from_numpy(array) for array in (x, shares, weight)]
    state = model.observe(state, *seen, *maps)
    found = model.predict(state, model.readout(state, K, tables["block"], *groups), torch.from_numpy(x_query), *maps)
    for b in range(B):
        blocks = blocks_of(feature_plan.NONLINEAR, x[b], x_query[b], weight[b], LEVELS)
        expected = class_probabilities(blocks, shares[b], weight[b])
        assert np.abs(found.prediction[b].numpy() - expected).max() < 1e-6


@PLANS
@pytest.mark.parametrize("observations", [20, 40])
def test_a_level_that_no_observation_has_changes_nothing(plan: FeaturePlan, observations: int) -> None:
    x, y, x_query, weight = task(observations)
    x[..., 5] = x_query[..., 5] = 0.0
    expected = answer(plan, x, y, x_query, weight, LEVELS)
    without = [np.delete(v, 5, 2) for v in (x, x_query)]
    fewer = tuple(level - (level > 5) for level in LEVELS if level != 5)
    found = answer(plan, without[0], y, without[1], weight, fewer)
    x_query[..., 5] = 1.0
    asked = answer(plan, x, y, x_query, weight, LEVELS)
    for name in ("prediction", "scale"):
        assert_close(getattr(found, name), getattr(expected, name), f"{name} without it", rtol=1e-9)
        assert_close(getattr(asked, name), getattr(expected, name), f"{name} of queries that have it", rtol=1e-9)


@PLANS
def test_the_order_of_columns_does_not_matter(plan: FeaturePlan) -> None:
    x, y, x_query, weight = task(40)
    order = np.random.default_rng(0).permutation(x.shape[2])
    levels = tuple(np.flatnonzero(np.isin(order, LEVELS)).tolist())
    found = answer(plan, x[..., order], y, x_query[..., order], weight, levels)
    expected = answer(plan, x, y, x_query, weight, LEVELS)
    assert_close(found.prediction, expected.prediction, "prediction", rtol=1e-7)
    assert_close(found.scale, expected.scale, "scale", rtol=1e-7)


def loss(plan: FeaturePlan, observations: int, categories: int, effect: float) -> float:
    """Squared error of a category of many levels and one number, relative to that of the mean of y; 500 tasks."""
    rng, queries, errors = np.random.default_rng(observations), 20, []
    for _ in range(10):
        which = rng.integers(0, categories, (50, observations + queries))
        x = np.concatenate([rng.normal(size=(*which.shape, 1)), np.eye(categories)[which]], 2)
        own = np.take_along_axis(rng.normal(size=(50, categories)), which, 1)
        y = (effect * own + rng.normal(size=which.shape))[..., None]
        seen, asked, levels = y[:, :observations], y[:, observations:], tuple(range(1, 1 + categories))
        found = predict(plan, x[:, :observations], seen, x[:, observations:], np.ones(seen.shape[:2]), levels)
        errors.append([((of - asked) ** 2).mean() for of in (found, seen.mean(1, keepdims=True))])
    own_error, that_of_the_mean = np.mean(errors, 0).tolist()
    return float(own_error / that_of_the_mean)


@pytest.mark.slow
@PLANS
def test_a_useless_category_is_never_much_worse_than_the_mean(plan: FeaturePlan) -> None:
    assert np.mean([loss(plan, observations, 12, 0.0) for observations in (5, 10, 20, 40)]) < 1.1


@pytest.mark.slow
@PLANS
@pytest.mark.parametrize(("observations", "most"), [(10, 0.65), (20, 0.4), (40, 0.3)])
def test_a_category_that_matters_is_used(plan: FeaturePlan, observations: int, most: float) -> None:
    """Noise alone is 0.2 of the variance of y."""
    assert loss(plan, observations, 5, 2.0) < most
