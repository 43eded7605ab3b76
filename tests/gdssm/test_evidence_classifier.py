"""The classifier is discriminant analysis of the scores that the evidence averages, and knows what it has not seen."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gdssm import feature_plan
from gdssm.evidence_classifier import ClassPredictions, EvidenceClassifier
from gdssm.feature_map import FeatureMapState
from tests.closeness import assert_close
from tests.gdssm.evidence_oracle import blocks_of, class_probabilities

B, M, D, C = 2, 4, 5, 3
Array = NDArray[np.float64]
PROBABILITY = 1e-6
"""What the path of descent may leave of a probability."""
MODEL = EvidenceClassifier()


def observe(x: Array, y: Array, weight: Array | None = None, state: FeatureMapState | None = None) -> FeatureMapState:
    """Add observations to a state, with indicators where a cell is missing."""
    inputs, classes = x.shape[2], y.shape[2]
    maps = maps_of(inputs, indicators := inputs if np.isnan(x).any() else 0)
    state = state or MODEL.empty_state(len(x), inputs, classes, indicators, sum(map(len, maps)))
    seen = (x, y, np.ones(x.shape[:2]) if weight is None else weight)
    return MODEL.observe(state, *(torch.from_numpy(np.ascontiguousarray(array)) for array in seen), *maps)


def maps_of(inputs: int, indicators: int) -> list[torch.Tensor]:
    tables = feature_plan.NONLINEAR.tables(inputs, indicators)
    return [torch.from_numpy(tables[name]) for name in ("additive", "pairs")]


def predict(state: FeatureMapState, classes: int, x_query: Array) -> ClassPredictions:
    inputs, indicators = x_query.shape[2], state.present.shape[1]
    tables = feature_plan.NONLINEAR.tables(inputs, indicators)
    names = ("block", *(f"group.{group}" for group in range(feature_plan.NONLINEAR.groups)))
    readout = MODEL.readout(state, classes, *(torch.from_numpy(tables[name]) for name in names))
    query = torch.from_numpy(np.ascontiguousarray(x_query))
    return MODEL.predict(state, readout, query, *maps_of(inputs, indicators))


def classify(x: Array, y: Array, x_query: Array, weight: Array | None = None) -> Array:
    """Give the queries of each context the probabilities of the classes (B, M, C)."""
    probability: Array = predict(observe(x, y, weight), y.shape[2], x_query).prediction.numpy()
    return probability


def context(observations: int, inputs: int = D, classes: int = C, missing: float = 0.0) -> tuple[Array, ...]:
    """Draw x in different units, one-hot y in which each class occurs, x_query, and fractional weights."""
    rng = np.random.default_rng(1000 * inputs + observations)
    mixing, units = rng.normal(size=(inputs, inputs)), 10.0 ** rng.uniform(-2, 2, inputs)
    x, x_query = (rng.normal(size=(B, rows, inputs)) @ mixing for rows in (observations, M))
    score = x @ rng.normal(size=(inputs, classes)) + np.abs(x[..., :1]) * rng.normal(size=classes)
    label = (score + score.std() * rng.normal(size=score.shape)).argmax(2)
    label[:, : min(classes, observations)] = np.arange(min(classes, observations))
    gone, gone_query = (rng.random(v.shape) < missing for v in (x, x_query))
    x, x_query = np.where(gone, np.nan, (x + 1) * units), np.where(gone_query, np.nan, (x_query + 1) * units)
    return x, np.eye(classes)[label], x_query, rng.uniform(0.2, 1.0, (B, observations))


def compare(x: Array, y: Array, x_query: Array, weight: Array) -> None:
    found = classify(x, y, x_query, weight)
    for b in range(B):
        blocks = blocks_of(feature_plan.NONLINEAR, x[b], x_query[b], weight[b])
        expected = class_probabilities(blocks, y[b], weight[b])
        difference = np.abs(found[b] - expected).max()
        assert difference < PROBABILITY, f"probabilities differ by {difference:.2g}"


@pytest.mark.parametrize("observations", [5, 7, 20, 32, 33, 101])
@pytest.mark.parametrize(("inputs", "classes"), [(1, 2), (3, 5), (D, C)])
def test_probabilities_are_those_of_the_scores_of_the_observations(
    inputs: int, classes: int, observations: int
) -> None:
    x, y, x_query, weight = context(observations, inputs, classes)
    compare(x, y, x_query, np.ones_like(weight))
    compare(x, y, x_query, weight)


@pytest.mark.parametrize("observations", [20, 101])
def test_so_they_are_with_missing_cells(observations: int) -> None:
    compare(*context(observations, missing=0.3))


def test_so_they_are_where_observations_have_shares_of_classes() -> None:
    x, y, x_query, weight = context(20)
    soft = np.random.default_rng(0).dirichlet(np.ones(C), y.shape[:2])
    compare(x, 0.7 * y + 0.3 * soft, x_query, weight)


@pytest.mark.parametrize(("means", "excess"), [([[0, 0], [2, 0]], 0.03), ([[0, 0], [2, 0], [0, 2]], 0.1)])
def test_normal_classes_are_distinguished_nearly_as_by_their_densities(means: list[list[float]], excess: float) -> None:
    """In nats, of a log loss of 0.35 and of 0.53: as tanh of x, scores are not normal where x is."""
    rng, share = np.random.default_rng(0), np.arange(len(means), 0, -1) / np.arange(len(means), 0, -1).sum()
    label = rng.choice(len(means), (1, 3000), p=share)
    x = np.array(means)[label] + rng.normal(size=(1, 3000, 2))
    density = share * np.exp(-0.5 * ((x[0, 1000:, None] - np.array(means)) ** 2).sum(2))
    posterior = density / density.sum(1, keepdims=True)
    found = classify(x[:, :1000], np.eye(len(means))[label[:, :1000]], x[:, 1000:])[0]
    assert (posterior * np.log(posterior / found)).sum(1).mean() < excess
    assert (found.argmax(1) == posterior.argmax(1)).mean() > 0.95


def test_nothing_observed_is_the_uniform_distribution() -> None:
    x, y, x_query, _ = context(7)
    answer = predict(observe(x[:, :0], y[:, :0]), C, x_query)
    assert_close(answer.prediction.numpy(), np.full((B, M, C), 1 / C), "probabilities")
    assert not answer.degrees_of_freedom.any()
    assert answer.constant.all()


@pytest.mark.parametrize("observations", [1, 2, 7, 40])
def test_a_single_class_is_as_probable_as_the_rule_of_succession_has_it(observations: int) -> None:
    x, y, x_query, _ = context(observations)
    found = classify(x, np.eye(C)[np.ones(y.shape[:2], int)], x_query)
    expected = np.ones(C) / (observations + C)
    expected[1] *= observations + 1
    assert_close(found, np.broadcast_to(expected, found.shape), "probabilities", rtol=1e-9)


def test_a_class_without_observations_has_the_rule_of_succession() -> None:
    x, y, x_query, _ = context(20)
    with_absent = np.insert(y, 1, 0.0, axis=2)
    found, among_three = classify(x, with_absent, x_query), classify(x, y, x_query)
    assert_close(found[..., 1], np.full((B, M), 1 / 24), "absent class", rtol=1e-9)
    rest = (among_three * 23 - 1) / 20
    assert_close(np.delete(found, 1, 2), (rest * 20 + 1) / 24, "classes that are there", rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("observations", [3, 20, 50])
def test_a_class_whose_observations_were_removed_is_absent(observations: int) -> None:
    """Rounding leaves a share and a variance of it that may be above 0."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x, x_query = rng.normal(size=(1, observations, 2)), rng.normal(size=(1, M, 2))
        y, weight = rng.dirichlet([1, 1, 0], (1, observations)), rng.uniform(0.2, 2.0, (1, observations))
        wrong_x, wrong_y, ones = rng.normal(size=(1, 5, 2)), rng.dirichlet([1, 1, 1], (1, 5)), np.ones((1, 5))
        before = observe(x, y, weight)
        after = observe(wrong_x, wrong_y, -ones, observe(wrong_x, wrong_y, ones, before))
        expected = predict(before, C, x_query).prediction
        assert_close(predict(after, C, x_query).prediction, expected, "probabilities", rtol=1e-8)


@pytest.mark.parametrize("observations", [7, 20, 40])
def test_a_count_is_so_many_equal_observations(observations: int) -> None:
    x, y, x_query, _ = context(observations)
    counts = np.random.default_rng(0).integers(1, 4, observations)
    counted = classify(x, y, x_query, np.broadcast_to(counts.astype(float), x.shape[:2]))
    repeated = classify(np.repeat(x, counts, 1), np.repeat(y, counts, 1), x_query)
    assert_close(repeated, counted, "probabilities", rtol=1e-8)


def test_y_that_is_no_distribution_is_made_one() -> None:
    """Negative entries count as 0, rows are divided by their sums, and a row of nothing is spread evenly."""
    x, y, x_query, _ = context(7)
    odd, proper = 3 * y - 2 * np.roll(y, 1, axis=2), y.copy()
    odd[:, 3], proper[:, 3] = -1.0, 1 / C
    assert_close(classify(x, odd, x_query), classify(x, proper, x_query), "probabilities", rtol=1e-9)


def test_constant_columns_are_left_out_and_named() -> None:
    x, y, x_query, _ = context(20)
    x[..., 3:] = [1e15, -3.7e-9]
    answer = predict(observe(x, y), C, x_query)
    assert answer.constant.tolist() == [[0, 0, 0, 1, 1]] * B
    x_query[..., 3:] = 7.0
    assert_close(classify(x, y, x_query), answer.prediction.numpy(), "probabilities", rtol=1e-9)


def test_probabilities_do_not_depend_on_units_and_origins() -> None:
    x, y, x_query, weight = context(20)
    units, origins = np.array([1e-6, 1.0, 1e6, -3.0, 7.0]), np.array([5.0, -1e3, 0.0, 2.0, 1.0])
    moved = classify(x * units + origins, y, x_query * units + origins, weight)
    assert_close(moved, classify(x, y, x_query, weight), "probabilities", rtol=1e-6)


def test_queries_beyond_all_observations_are_moved_in_counted_and_no_more_certain() -> None:
    x, y, _, _ = context(10)
    mean, spread = x.mean(1, keepdims=True), x.std(1, keepdims=True)
    steps = np.zeros((1, 3, D))
    steps[0, 1, :2], steps[0, 2, :2] = 4.0, [1e6, 4.0001]  # 1 + √(10 − 1) is 4
    answer = predict(observe(x, y), C, mean + spread * steps * (1 - 1e-9))
    assert answer.clipped.tolist() == [[0, 0, 2]] * B
    assert_close(answer.prediction[:, 2], answer.prediction[:, 1], "probabilities", rtol=1e-6)


@pytest.mark.parametrize("observations", [7, 40])
def test_answers_do_not_depend_on_other_contexts_or_queries(observations: int) -> None:
    x, y, x_query, weight = context(observations)
    together = classify(x, y, x_query, weight)
    for b in range(B):
        alone = classify(x[b : b + 1], y[b : b + 1], x_query[b : b + 1, :1], weight[b : b + 1])
        assert_close(alone[0], together[b, :1], "probabilities", rtol=1e-9)


def test_no_query_has_no_answer() -> None:
    x, y, x_query, _ = context(7)
    answer = predict(observe(x, y), C, x_query[:, :0])
    assert answer.prediction.shape == (B, 0, C)
    assert answer.clipped.shape == (B, 0)
