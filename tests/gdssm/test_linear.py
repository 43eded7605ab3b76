"""The practical model against its numpy oracle, where data are awkward."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gdssm.model import StandardizedDescent
from tests.closeness import assert_close
from tests.gdssm.linear_oracle import linear

Array = NDArray[np.float64]
ORACLE = 1e-6
"""Agreement with the oracle, relative."""


def draw(observations: int, inputs: int, outputs: int = 1) -> tuple[Array, Array, Array]:
    generator = np.random.default_rng(observations * 1000 + inputs)
    x, x_query = generator.normal(size=(observations, inputs)), generator.normal(size=(4, inputs))
    y = x @ generator.normal(size=(inputs, outputs)) + 0.3 * generator.normal(size=(observations, outputs)) + 2.0
    return x, y, x_query


def answer(x: Array, y: Array, x_query: Array, weight: Array | None = None, steps: int = 8) -> Array:
    model = StandardizedDescent(steps)
    one, other, query = (torch.from_numpy(array)[None] for array in (x, y, x_query))
    weights = torch.ones(one.shape[:2], dtype=torch.float64) if weight is None else torch.from_numpy(weight)[None]
    with torch.no_grad():
        state = model.observe(model.empty_state(1, x.shape[1], y.shape[1]), one, other, weights)
        return model.predict(state, query)[0].numpy()


@pytest.mark.parametrize("steps", [1, 8, 50])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize(("observations", "inputs"), [(2, 1), (7, 5), (5, 11), (101, 10), (2, 30), (3000, 13)])
def test_it_is_the_oracle(observations: int, inputs: int, outputs: int, steps: int) -> None:
    x, y, x_query = draw(observations, inputs, outputs)
    assert_close(answer(x, y, x_query, steps=steps), linear(x, y, x_query, steps=steps), "prediction", rtol=ORACLE)


@pytest.mark.parametrize("mean", [1e6, -1e6])
def test_a_mean_a_million_times_the_spread_loses_nothing(mean: float) -> None:
    x, y, x_query = draw(101, 5)
    plain = answer(x, y, x_query)
    shifted = answer(x + mean, y + mean, x_query + mean) - mean
    assert_close(shifted, plain, "prediction about the mean", rtol=ORACLE)
    expected = linear(x + mean, y + mean, x_query + mean) - mean
    assert_close(shifted, expected, "prediction about the mean", rtol=ORACLE)


@pytest.mark.parametrize("x_scale", [1e-6, 1e6])
@pytest.mark.parametrize("y_scale", [1e-6, 1e6])
def test_units_do_not_matter(x_scale: float, y_scale: float) -> None:
    x, y, x_query = draw(101, 5)
    scales = x_scale ** np.array([1, -1, 0, 1, -1])
    scaled = answer(x * scales, y * y_scale, x_query * scales)
    assert_close(scaled, answer(x, y, x_query) * y_scale, "prediction", rtol=ORACLE)
    assert_close(scaled, linear(x * scales, y * y_scale, x_query * scales), "prediction", rtol=ORACLE)


def test_one_observation_answers_with_its_y() -> None:
    x, y, x_query = draw(1, 5, 3)
    np.testing.assert_array_equal(answer(x, y, x_query), np.repeat(y, 4, axis=0))


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6, 1 / 3])
def test_a_constant_column_is_left_out(value: float) -> None:
    x, y, x_query = draw(101, 5)
    constant = np.insert(x, 2, value, axis=1)
    queries = np.insert(x_query, 2, [value, 0.0, 1e9, -5.0], axis=1)
    assert_close(answer(constant, y, queries), answer(x, y, x_query), "prediction", rtol=ORACLE)


def test_only_constant_columns_answer_with_the_mean() -> None:
    _, y, x_query = draw(7, 5)
    assert_close(answer(np.full((7, 5), 0.1), y, x_query), np.full((4, 1), y.mean()), "prediction")


def test_a_constant_y_is_the_answer() -> None:
    x, _, x_query = draw(7, 5)
    assert_close(answer(x, np.full((7, 1), 0.1), x_query), np.full((4, 1), 0.1), "prediction")


def test_collinear_columns_share_the_weight_of_one() -> None:
    x, y, x_query = draw(101, 3)
    doubled, queries = np.hstack([x, -2.0 * x + 1.0]), np.hstack([x_query, -2.0 * x_query + 1.0])
    assert_close(answer(doubled, y, queries), linear(doubled, y, queries), "prediction", rtol=ORACLE)
    assert_close(answer(doubled, y, queries), answer(x, y, x_query), "prediction", rtol=0.01)


def test_weights_count_as_repetitions_do() -> None:
    x, y, x_query = draw(7, 5)
    counts = np.array([1, 2, 3, 1, 0, 2, 5])
    weighted = answer(x, y, x_query, counts.astype(np.float64))
    assert_close(weighted, linear(x, y, x_query, counts.astype(np.float64)), "prediction", rtol=ORACLE)
    repeated = answer(np.repeat(x, counts, 0), np.repeat(y, counts, 0), x_query)
    assert_close(weighted, repeated, "prediction", rtol=1e-10)


def test_predictions_without_observations_are_zero() -> None:
    x, y, x_query = draw(7, 5)
    assert not answer(x[:0], y[:0], x_query).any()


def test_many_steps_arrive_at_least_squares() -> None:
    x, y, x_query = draw(101, 3)
    design, queries = (np.hstack([a, np.ones((len(a), 1))]) for a in (x, x_query))
    expected = queries @ np.linalg.lstsq(design, y, rcond=None)[0]
    assert_close(answer(x, y, x_query, steps=2000), expected, "prediction", rtol=1e-9)


@pytest.mark.parametrize(("share", "varies"), [(0.99, False), (1.01, True)])
def test_a_variation_that_rounding_may_have_left_of_its_peak_is_none(share: float, varies: bool) -> None:
    """What `peak` is for: a column of which observations were taken out is left out if 1e-14 of it remain."""
    x, y, x_query = (torch.from_numpy(array)[None] for array in draw(7, 2))
    model = StandardizedDescent(8)
    state = model.observe(model.empty_state(1, 2, 1), x, y, torch.ones(1, 7, dtype=torch.float64))
    peak, comoment = state.peak.clone(), state.comoment.clone()
    peak[:, 1] *= 1e12
    comoment[:, 1, 1] = share * model.RESIDUE * peak[:, 1]
    state = state._replace(peak=peak, comoment=comoment, mean=0 * state.mean)
    moved = x_query + torch.tensor([0.0, 1.0])
    difference = (model.predict(state, moved) - model.predict(state, x_query)).abs().min()
    assert (difference > 0) == varies
