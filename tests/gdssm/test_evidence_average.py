"""The evidence average is the Bayesian one, its intervals cover, and it is no worse than the mean of y."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.stats import t as student_t  # type: ignore[import-untyped]

from gdssm import feature_plan
from gdssm.evidence_average import LinearEvidence, NonlinearEvidence, PredictiveDistribution
from gdssm.feature_map import FeatureMapState
from gdssm.feature_plan import FeaturePlan
from service.inference.artifact import WANT_SCALE
from service.inference.runtime import Runtime
from service.settings import Settings
from tests.closeness import assert_close
from tests.gdssm.evidence_oracle import averaged, blocks_of

B, M, D, K = 2, 4, 5, 3
Array = NDArray[np.float64]
PREDICTION = 1e-6
"""What the path may leave of a prediction, in standard deviations of y."""
SCALE = 1e-6
"""What it may leave of a scale, relative."""
SPARSE_PREDICTION, SPARSE_SCALE = 1e-2, 2e-2
"""The same of both with fewer observations than features: their small eigenvalues outlast the path."""
LINEAR, NONLINEAR = LinearEvidence(), NonlinearEvidence()


def answer(
    plan: FeaturePlan, x: Array, y: Array, x_query: Array, weight: Array | None = None, levels: tuple[int, ...] = ()
) -> PredictiveDistribution:
    """Predict queries from contexts with the model of a plan, indicators only where a cell is missing."""
    inputs, outputs = x.shape[2], y.shape[2]
    indicators = inputs if np.isnan(x).any() or np.isnan(x_query).any() else 0
    table = {name: torch.from_numpy(values) for name, values in plan.tables(inputs, indicators, levels).items()}
    layout = table["block"], *(table[f"group.{group}"] for group in range(plan.groups))
    weight = np.ones(x.shape[:2]) if weight is None else weight
    seen = [torch.from_numpy(np.ascontiguousarray(array)) for array in (x, y, weight)]
    query = torch.from_numpy(np.ascontiguousarray(x_query))
    if not plan.makes_features:
        moments = LINEAR.observe(LINEAR.empty_state(len(x), inputs, outputs, indicators), *seen)
        return LINEAR.predict(moments, LINEAR.readout(moments, outputs, *layout), query)
    maps = [table["additive"], table["pairs"]]
    start = FeatureMapState.empty(len(x), inputs, outputs, indicators, sum(map(len, maps)))
    state = NONLINEAR.observe(start, *seen, *maps)
    return NONLINEAR.predict(state, NONLINEAR.readout(state, outputs, *layout), query, *maps)


@cache
def shipped(name: str) -> Runtime:
    return Runtime.load(Settings().zoo / f"{name}.onnx")


def predict(
    plan: FeaturePlan, x: Array, y: Array, x_query: Array, weight: Array, levels: tuple[int, ...] = ()
) -> Array:
    """Predict by the shipped file, which answers as the model does (`test_shipped`); scales are not computed."""
    tensors: dict[str, Array | float] = {"x": x, "y": y, "weight": weight, "x_query": x_query, WANT_SCALE: 0.0}
    outputs = shipped("nonlinear" if plan.makes_features else "linear").run(tensors, levels)
    return outputs["prediction"].astype(np.float64, copy=False)


def context(
    observations: int, inputs: int = D, noise: float = 0.5, missing: float = 0.0
) -> tuple[Array, Array, Array, Array]:
    """Draw x, y, x_query and fractional weights: correlated columns in different units, y of variance 1 and noise."""
    rng = np.random.default_rng(1000 * inputs + observations)
    mixing, units = rng.normal(size=(inputs, inputs)), 10.0 ** rng.uniform(-2, 2, inputs)
    x, x_query = (rng.normal(size=(B, rows, inputs)) @ mixing for rows in (observations, M))
    y = x @ rng.normal(size=(B, inputs, K)) + np.abs(x[..., :1])
    y = y / y.std(1, keepdims=True) + noise * rng.normal(size=y.shape)
    weight = rng.uniform(0.2, 1.0, (B, observations))
    gone, gone_query = (rng.random(v.shape) < missing for v in (x, x_query))
    return np.where(gone, np.nan, (x + 1) * units), y, np.where(gone_query, np.nan, (x_query + 1) * units), weight


def compare(plan: FeaturePlan, x: Array, y: Array, x_query: Array, weight: Array, levels: tuple[int, ...] = ()) -> None:
    sparse = plan.makes_features and x.shape[1] < len(plan.tables(x.shape[2], 0, levels)["block"])
    for_prediction, for_scale = (SPARSE_PREDICTION, SPARSE_SCALE) if sparse else (PREDICTION, SCALE)
    found = answer(plan, x, y, x_query, weight, levels)
    for b in range(B):
        expected = averaged(blocks_of(plan, x[b], x_query[b], weight[b], levels), y[b], weight[b])
        difference = (np.abs(found.prediction[b].numpy() - expected.prediction) / y[b].std(0)).max()
        assert difference < for_prediction, f"predictions differ by {difference:.2g} standard deviations of y"
        relative = np.abs(found.scale[b].numpy() / expected.scale - 1).max()
        assert relative < for_scale, f"scales differ by {relative:.2g}"


@pytest.mark.parametrize("noise", [1.0, 0.1, 0.001])
@pytest.mark.parametrize("observations", [2, 3, 7, 20, 40, 101, 500])
@pytest.mark.parametrize("inputs", [1, D, 13, 32])
def test_the_linear_average_is_the_bayesian_one(inputs: int, observations: int, noise: float) -> None:
    x, y, x_query, weight = context(observations, inputs, noise)
    compare(feature_plan.LINEAR, x, y, x_query, np.ones_like(weight))
    compare(feature_plan.LINEAR, x, y, x_query, weight)


@pytest.mark.parametrize("noise", [1.0, 0.1])
@pytest.mark.parametrize("observations", [3, 7, 20, 32, 33, 101])
@pytest.mark.parametrize("inputs", [1, 3, D])
def test_the_average_with_features_is_the_bayesian_one(inputs: int, observations: int, noise: float) -> None:
    x, y, x_query, weight = context(observations, inputs, noise)
    compare(feature_plan.NONLINEAR, x, y, x_query, np.ones_like(weight))
    compare(feature_plan.NONLINEAR, x, y, x_query, weight)


@pytest.mark.parametrize("plan", [feature_plan.LINEAR, feature_plan.NONLINEAR], ids=["linear", "nonlinear"])
@pytest.mark.parametrize("observations", [20, 32, 101])
def test_the_average_with_missing_cells_is_the_bayesian_one(observations: int, plan: FeaturePlan) -> None:
    compare(plan, *context(observations, missing=0.3))


# Tasks for statements about averages, as contexts of batches.


TASKS, LONGEST, ASKED = 1000, 40, 50
FEWER = 250
"""Tasks without a heavy tail: their mean loss is then more than 4 standard errors below the bound of 1.1."""
Task = tuple[Array, Array]
"""x (tasks, N, D) and y (tasks, N, 1)."""


def signal(x: Array, rng: Generator) -> Array:
    """Make a random linear function of x, of variance 1 in each task."""
    mean: Array = x @ rng.normal(size=(len(x), x.shape[2], 1))
    mean -= mean.mean(1, keepdims=True)
    mean /= mean.std(1, keepdims=True)
    return mean


def linear(rng: Generator, x: Array) -> Task:
    return x, signal(x, rng) + rng.normal(size=x[..., :1].shape)


def without_noise(rng: Generator, x: Array) -> Task:
    return x, signal(x, rng)


def noise_alone(rng: Generator, x: Array) -> Task:
    return x, rng.normal(size=x[..., :1].shape)


def units(rng: Generator, x: Array) -> Task:
    """Columns and y in units from 1e-6 to 1e6."""
    x, y = linear(rng, x)
    return x * 10.0 ** rng.uniform(-6, 6, (len(x), 1, x.shape[2])), y * 10.0 ** rng.uniform(-6, 6, (len(x), 1, 1))


def large_means(rng: Generator, x: Array) -> Task:
    """Means a million times the spread."""
    x, y = linear(rng, x)
    return x + 1e6 * rng.normal(size=(len(x), 1, x.shape[2])), y + 1e6 * rng.normal(size=(len(x), 1, 1))


def collinear(rng: Generator, x: Array) -> Task:
    """All columns in a plane, up to a thousandth, and y linear in the plane."""
    plane = rng.normal(size=(*x.shape[:2], 2)) @ rng.normal(size=(len(x), 2, x.shape[2]))
    return plane + 1e-3 * x, linear(rng, plane)[1]


def nearly_collinear(rng: Generator, x: Array) -> Task:
    """The same columns, and y of what does not lie in the plane."""
    return collinear(rng, x)[0], linear(rng, x)[1]


def constant_columns(rng: Generator, x: Array) -> Task:
    """Every other column, and so half of what makes y, hidden behind one value for each task."""
    y = linear(rng, x)[1]
    x = x.copy()
    x[..., ::2] = x[:, :1, ::2]
    return x, y


def heavy_columns(rng: Generator, x: Array) -> Task:
    """Columns with the tails of Student's t with two degrees of freedom."""
    return linear(rng, rng.standard_t(2, x.shape))


def heavy_noise(rng: Generator, x: Array) -> Task:
    """Noise with such tails."""
    return x, signal(x, rng) + rng.standard_t(2, x[..., :1].shape)


def heavy_columns_and_noise(rng: Generator, x: Array) -> Task:
    return heavy_noise(rng, rng.standard_t(2, x.shape))


def heavy_noise_alone(rng: Generator, x: Array) -> Task:
    return x, rng.standard_t(2, x[..., :1].shape)


def noise_with_heavy_columns(rng: Generator, x: Array) -> Task:
    """Noise that has nothing to do with columns of such tails."""
    return noise_alone(rng, rng.standard_t(2, x.shape))


KINDS: dict[Callable[[Generator, Array], Task], int] = {
    linear: FEWER,
    without_noise: FEWER,
    noise_alone: FEWER,
    units: FEWER,
    large_means: FEWER,
    collinear: FEWER,
    nearly_collinear: FEWER,
    constant_columns: FEWER,
    heavy_columns: FEWER,
    heavy_noise: TASKS,
    heavy_columns_and_noise: TASKS,
    heavy_noise_alone: TASKS,
    noise_with_heavy_columns: TASKS,
}
"""Kinds of tasks, and how many of each."""


def loss_relative_to_the_mean(plan: FeaturePlan, kind: Callable[[Generator, Array], Task], inputs: int) -> float:
    """Average, over tasks of 1 to 40 observations, the squared error relative to that of the mean of the context.

    The quotient is taken for each task, over 50 fresh queries, and only then averaged: so a task counts as much
    whatever its unit, and one with a far value of y among its queries, as heavy tails have them, counts no more.
    """
    rng, tasks = np.random.default_rng(inputs), KINDS[kind]
    x, y = kind(rng, rng.normal(size=(tasks, LONGEST + ASKED, inputs)))
    observations = rng.integers(1, LONGEST + 1, tasks)
    weight = (np.arange(LONGEST) < observations[:, None]).astype(float)
    fresh = y[:, LONGEST:]
    losses = []
    for part in np.array_split(np.arange(tasks), tasks // 25):
        found = predict(plan, x[part, :LONGEST], y[part, :LONGEST], x[part, LONGEST:], weight[part])
        losses.append((found - fresh[part]) ** 2)
    mean = (weight[..., None] * y[:, :LONGEST]).sum(1, keepdims=True) / observations[:, None, None]
    return float((np.concatenate(losses).mean((1, 2)) / ((mean - fresh) ** 2).mean((1, 2))).mean())


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inputs", [1, D, 32])
def test_the_linear_average_is_never_much_worse_than_the_mean(
    inputs: int, kind: Callable[[Generator, Array], Task]
) -> None:
    assert loss_relative_to_the_mean(feature_plan.LINEAR, kind, inputs) < 1.1


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inputs", [1, D])
def test_the_average_with_features_is_never_much_worse_than_the_mean(
    inputs: int, kind: Callable[[Generator, Array], Task]
) -> None:
    assert loss_relative_to_the_mean(feature_plan.NONLINEAR, kind, inputs) < 1.1


@pytest.mark.slow
@pytest.mark.parametrize("observations", [10, 20, 100])
@pytest.mark.parametrize("fading", [1.0, 0.98])
@pytest.mark.parametrize("inputs", [1, D, 13])
def test_90_percent_intervals_cover_new_observations(inputs: int, fading: float, observations: int) -> None:
    rng = np.random.default_rng(inputs)
    x, y = linear(rng, rng.normal(size=(TASKS, observations + ASKED, inputs)))
    weight = np.broadcast_to(fading ** np.arange(observations)[::-1], (TASKS, observations))
    found = answer(feature_plan.LINEAR, x[:, :observations], y[:, :observations], x[:, observations:], weight)
    assert 0.87 <= covered(found, y[:, observations:]) <= 0.93


@pytest.mark.parametrize("observations", [10, 20, 100])
def test_90_percent_intervals_cover_with_counted_observations(observations: int) -> None:
    """Columns of -1, 0 and 1 and y in steps of 0.5, so that equal observations do occur, and are one with a count."""
    rng = np.random.default_rng(observations)
    x, y = linear(rng, rng.integers(-1, 2, (TASKS, observations + ASKED, 2)).astype(float))
    y = np.round(2 * y) / 2
    rows = np.concatenate([x, y], 2)
    table, weight = np.zeros((TASKS, observations, 3)), np.zeros((TASKS, observations))
    for task in range(TASKS):
        different, counts = np.unique(rows[task, :observations], axis=0, return_counts=True)
        table[task, : len(counts)], weight[task, : len(counts)] = different, counts
    found = answer(feature_plan.LINEAR, table[..., :2], table[..., 2:], x[:, observations:], weight)
    assert (found.degrees_of_freedom == observations - 1).all()
    assert 0.87 <= covered(found, y[:, observations:]) <= 0.93


def covered(found: PredictiveDistribution, y: Array) -> float:
    """Give the share of y (B, M, 1) that lies in intervals of 90 %."""
    half = student_t.ppf(0.95, found.degrees_of_freedom.numpy())[:, None, None] * found.scale.numpy()
    return float((np.abs(y - found.prediction.numpy()) <= half).mean())


# What a single answer is.


PLANS = pytest.mark.parametrize("plan", [feature_plan.LINEAR, feature_plan.NONLINEAR], ids=["linear", "nonlinear"])
OUTPUTS = ("prediction", "scale")


def assert_same(actual: PredictiveDistribution, expected: PredictiveDistribution, exact: float = 1e-9) -> None:
    for name in (*OUTPUTS, "degrees_of_freedom"):
        assert_close(getattr(actual, name), getattr(expected, name), name, rtol=exact)


def test_a_column_is_constant_only_where_its_variation_is_rounding() -> None:
    """Its spread is 1.7e-13 of its mean, 760 times the rounding of one value."""
    time = np.arange(11.0)[None, :, None]
    x, y = 1.7e15 + 100 * time, 2 * time + 5
    found = answer(feature_plan.LINEAR, x[:, :10], y[:, :10], x[:, 10:])
    assert not found.constant.any()
    assert abs(found.prediction.item() - 25) < 1e-3


@pytest.mark.parametrize("observations", [2, 7, 1000, 10_000])
def test_exactly_constant_columns_are_constant_and_left_out(observations: int) -> None:
    rng = np.random.default_rng(observations)
    x, x_query = rng.normal(size=(1, observations, 5)), rng.normal(size=(1, M, 5))
    y = x[..., :1] + rng.normal(size=(1, observations, 1))
    expected = answer(feature_plan.LINEAR, x[..., :2], y, x_query[..., :2])
    x[..., 2:] = [0.1, 1e15, -3.7e-9]
    found = answer(feature_plan.LINEAR, x, y, x_query)
    assert found.constant.tolist() == [[0, 0, 1, 1, 1]]
    assert_same(found, expected)


@PLANS
@pytest.mark.parametrize("observations", [7, 40])
def test_answers_do_not_depend_on_other_contexts_queries_or_padding(observations: int, plan: FeaturePlan) -> None:
    x, y, x_query, weight = context(observations)
    together = answer(plan, x, y, x_query, weight)
    padded_x, padded_y = (np.concatenate([rng_like(array), array], 1) for array in (x, y))
    padded_weight = np.concatenate([np.zeros_like(weight), weight], 1)
    assert_same(answer(plan, padded_x, padded_y, x_query, padded_weight), together)
    for b in range(B):
        alone = answer(plan, x[b : b + 1], y[b : b + 1], x_query[b : b + 1, :1], weight[b : b + 1])
        for name in OUTPUTS:
            assert_close(getattr(alone, name)[0], getattr(together, name)[b, :1], name, rtol=1e-9)


def rng_like(array: Array) -> Array:
    """Draw rows that are nothing like those of an array."""
    return 100 * np.random.default_rng(0).normal(size=array.shape)


@PLANS
@pytest.mark.parametrize("observations", [7, 20, 40])
def test_a_count_is_so_many_equal_observations(observations: int, plan: FeaturePlan) -> None:
    x, y, x_query, _ = context(observations)
    counts = np.random.default_rng(0).integers(1, 4, observations)
    counted = answer(plan, x, y, x_query, np.broadcast_to(counts.astype(float), x.shape[:2]))
    repeated_x, repeated_y = (np.repeat(array, counts, axis=1) for array in (x, y))
    assert_same(answer(plan, repeated_x, repeated_y, x_query), counted, 1e-6)


@PLANS
def test_answers_follow_the_unit_and_the_origin_of_y_and_of_each_column(plan: FeaturePlan) -> None:
    x, y, x_query, weight = context(20)
    units_of_x, origins = np.array([1e-6, 1.0, 1e6, -3.0, 7.0]), np.array([5.0, -1e3, 0.0, 2.0, 1.0])
    found = answer(plan, x * units_of_x + origins, 1e3 * y - 7, x_query * units_of_x + origins, weight)
    expected = answer(plan, x, y, x_query, weight)
    exact = 1e-6 if plan.makes_features else 1e-9
    assert_close((found.prediction + 7) / 1e3, expected.prediction, "prediction", rtol=exact)
    assert_close(found.scale / 1e3, expected.scale, "scale", rtol=exact)


@PLANS
def test_queries_further_out_than_any_observation_can_be_are_moved_in_and_counted(plan: FeaturePlan) -> None:
    x, y, _, _ = context(10)
    mean, spread = x.mean(1, keepdims=True), x.std(1, keepdims=True)
    steps = np.zeros((1, 3, D))
    steps[0, 1, :2], steps[0, 2, :2] = 4.0, [1e6, 4.0001]  # 1 + √(10 − 1) is 4
    found = answer(plan, x, y, mean + spread * steps * (1 - 1e-9))
    assert found.clipped.tolist() == [[0, 0, 2]] * B
    for name in OUTPUTS:
        assert_close(getattr(found, name)[:, 2], getattr(found, name)[:, 1], name, rtol=1e-6)


@PLANS
def test_one_observation_is_answered_with_itself_and_none_with_0(plan: FeaturePlan) -> None:
    x, y, x_query, _ = context(7)
    one = answer(plan, x[:, :1], y[:, :1], x_query)
    assert_close(one.prediction.numpy(), np.repeat(y[:, :1], M, 1), "prediction")
    none = answer(plan, x[:, :0], y[:, :0], x_query)
    assert not none.prediction.any()
    for found in (one, none):
        assert not found.scale.any()
        assert not found.degrees_of_freedom.any()
        assert found.constant.all()


@PLANS
def test_no_query_has_no_answer(plan: FeaturePlan) -> None:
    x, y, x_query, _ = context(7)
    found = answer(plan, x, y, x_query[:, :0])
    assert found.prediction.shape == found.scale.shape == (B, 0, K)
    assert found.clipped.shape == (B, 0)


@pytest.mark.parametrize("noise", [1e-2, 1e-3, 3e-4])
@pytest.mark.parametrize(("observations", "inputs"), [(20, 1), (30, D), (200, D)])
def test_intervals_are_narrow_where_there_is_little_noise(noise: float, observations: int, inputs: int) -> None:
    rng = np.random.default_rng(observations)
    tasks, x_query = 50, rng.normal(size=(50, M, inputs))
    x, slope = rng.normal(size=(tasks, observations, inputs)), rng.normal(size=(tasks, inputs, 1))
    slope /= np.sqrt(np.square(slope).sum(1, keepdims=True))
    y = x @ slope + noise * rng.normal(size=(tasks, observations, 1))
    found = answer(feature_plan.LINEAR, x, y, x_query)
    covered = np.abs(found.prediction.numpy() - x_query @ slope - noise * rng.normal(size=(tasks, M, 1)))
    half = student_t.ppf(0.95, observations - 1) * found.scale.numpy()
    assert (covered <= half).mean() > 0.8
    assert np.median(found.scale.numpy()) < 2 * noise
