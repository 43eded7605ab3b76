"""Features see one scale however observations arrive: their own while few, a frozen one after, or a declared one."""

import numpy as np
import pytest
import torch
from torch import Tensor

from gdssm.evidence_average import NonlinearEvidence, PredictiveDistribution
from gdssm.feature_map import FeatureMapState, additive_and_pairs, standardize
from gdssm.feature_plan import NONLINEAR
from gdssm.prior import BUFFERED
from tests.closeness import assert_close

B, D, K, M = 2, 5, 3, 4
MODEL = NonlinearEvidence()
Data = tuple[Tensor, Tensor]
"""x (B, N, D) and y (B, N, K)."""


def draw(observations: int, missing: float = 0.0, seed: int = 0) -> Data:
    generator = torch.Generator().manual_seed(1000 * seed + observations)
    x = 3 + 2 * torch.randn(B, observations, D, dtype=torch.float64, generator=generator)
    noise = torch.randn(B, observations, K, dtype=torch.float64, generator=generator)
    y = x[..., :K].square() + x[..., 1 : K + 1] + noise
    gone = torch.rand(x.shape, generator=generator) < missing
    return torch.where(gone, torch.nan, x), y


def tables(indicators: int = 0) -> dict[str, Tensor]:
    return {name: torch.from_numpy(table) for name, table in NONLINEAR.tables(D, indicators).items()}


def empty(indicators: int = 0) -> FeatureMapState:
    layout = tables(indicators)
    return MODEL.empty_state(B, D, K, indicators, len(layout["additive"]) + len(layout["pairs"]))


def declared(indicators: int = 0) -> FeatureMapState:
    """Make the state of a caller who knows the scale of the columns before the first observation."""
    state = empty(indicators)
    return state._replace(
        frozen=torch.ones_like(state.frozen),
        center=torch.full_like(state.center, 3.0),
        spread=torch.full_like(state.spread, 2.0),
    )


def observe(data: Data, state: FeatureMapState | None = None, weight: Tensor | float = 1.0) -> FeatureMapState:
    x, y = data
    state = empty() if state is None else state
    layout = tables(state.present.shape[1])
    weight = weight * x.new_ones(x.shape[:2])
    return MODEL.observe(state, x, y, weight, layout["additive"], layout["pairs"])


def in_chunks(data: Data, chunk: int, state: FeatureMapState) -> FeatureMapState:
    for x, y in zip(*(torch.split(tensor, chunk, dim=1) for tensor in data), strict=True):
        state = observe((x, y), state)
    return state


def predict(state: FeatureMapState, x_query: Tensor) -> PredictiveDistribution:
    layout = tables(state.present.shape[1])
    groups = [layout[f"group.{group}"] for group in range(NONLINEAR.groups)]
    readout = MODEL.readout(state, K, layout["block"], *groups)
    return MODEL.predict(state, readout, x_query, layout["additive"], layout["pairs"])


QUERIES = draw(M, seed=1)[0]
MOMENTS = ("count", "count_of_squares", "mean", "present", "comoment", "feature_mean")


def assert_same(actual: FeatureMapState, expected: FeatureMapState, exact: float = 1e-9) -> None:
    for name in (*MOMENTS, "frozen", "center", "spread"):
        assert_close(getattr(actual, name), getattr(expected, name), name, rtol=exact)
    for name in ("prediction", "scale", "degrees_of_freedom"):
        own, other = (getattr(predict(state, QUERIES), name) for state in (actual, expected))
        assert_close(own, other, name, rtol=exact)


# standardize


def test_columns_are_standardised() -> None:
    x, _ = draw(31)
    scale = observe(draw(31)).scale()
    z = standardize(x, scale)
    assert_close(scale.center, x.mean(1), "center")
    assert_close(scale.spread, x.std(1, correction=0), "spread")
    expected = ((x - x.mean(1, keepdim=True)) / x.std(1, correction=0, keepdim=True)).clamp(-4, 4)
    assert_close(z, expected, "z")


@pytest.mark.parametrize(("observations", "reach"), [(1, 1.0), (2, 2.0), (5, 3.0), (10, 4.0), (32, 4.0), (40, 4.0)])
def test_no_feature_changes_beyond_where_observations_can_be(observations: int, reach: float) -> None:
    far = torch.full((B, 1, D), 1e9, dtype=torch.float64)
    state = observe(draw(observations))
    expected = torch.full((B, 1, D), reach if observations > 1 else 0.0, dtype=torch.float64)
    assert_close(standardize(far, state.scale()), expected, "z")
    assert_close(standardize(-far, state.scale()), -expected, "z")


def test_missing_cells_and_constant_columns_are_0() -> None:
    x, y = draw(20)
    x[..., 2] = 0.1
    state = observe((x, y))
    assert not state.scale().spread[:, 2].any()
    query = torch.full((B, 1, D), 7.0, dtype=torch.float64)
    query[..., 0] = torch.nan
    assert (standardize(query, state.scale())[0, 0] != 0).tolist() == [False, True, False, True, True]


def test_the_scale_is_that_of_the_cells_which_are_there() -> None:
    x, y = draw(20, missing=0.3)
    weight = torch.rand(B, 20, generator=torch.Generator().manual_seed(0)).double()
    scale = observe((x, y), empty(D), weight).scale()
    for b in range(B):
        for column in range(D):
            cells, share = x[b, :, column].numpy(), weight[b].numpy()
            there = ~np.isnan(cells)
            mean = np.average(cells[there], weights=share[there])
            variance = np.average((cells[there] - mean) ** 2, weights=share[there])
            assert_close(scale.center[b, column], np.array(mean), "center")
            assert_close(scale.spread[b, column] ** 2, np.array(variance), "variance")


# additive_and_pairs


def test_features_are_smooth_steps_and_products_of_bent_columns() -> None:
    z = torch.randn(B, 7, D, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    additive = torch.tensor([[4.0, 1.6, 0.65], [0.0, 3.0, -1.0]], dtype=torch.float64)
    pairs = torch.tensor([[0.0, 3.0], [1.0, 2.0], [2.0, 4.0]], dtype=torch.float64)
    features = additive_and_pairs(z, additive, pairs).numpy()
    columns = z.numpy()
    bent = 2.5 * np.tanh(columns / 2.5)
    expected = [np.tanh(1.6 * (columns[..., 4] - 0.65)), np.tanh(3 * (columns[..., 0] + 1))]
    expected += [bent[..., i] * bent[..., j] for i, j in ((0, 3), (1, 2), (2, 4))]
    assert_close(features, np.stack(expected, -1), "features")


def test_no_tables_make_no_features() -> None:
    z = torch.zeros(B, 7, D, dtype=torch.float64)
    assert additive_and_pairs(z, z.new_zeros(0, 3), z.new_zeros(0, 2)).shape == (B, 7, 0)


# The buffer.


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("chunk", [1, 3, 31])
@pytest.mark.parametrize("observations", [7, BUFFERED])
def test_buffered_observations_in_chunks_are_one_batch(observations: int, chunk: int, missing: float) -> None:
    data, start = draw(observations, missing), empty(D if missing else 0)
    state = in_chunks(data, chunk, start)
    assert not state.frozen.any()
    assert_same(state, observe(data, start))
    assert_close(state.buffer[:, :observations, :K], data[1], "buffered y")
    assert_close(state.buffer[:, :observations, K:], torch.nan_to_num(data[0]), "buffered x")


def test_the_33rd_observation_freezes_the_scale_and_drops_the_buffer() -> None:
    data = draw(BUFFERED + 1)
    state = in_chunks(data, 11, empty())
    assert (state.frozen == 1).all()
    assert_close(state.center, data[0].mean(1), "center")
    assert_close(state.spread, data[0].std(1, correction=0), "spread")
    for name in ("buffer", "buffer_present", "buffer_weight"):
        assert not getattr(state, name).any(), name
    assert_same(state, observe(data))


def test_a_frozen_scale_stays_as_it_is() -> None:
    frozen = observe(draw(40))
    x, y = draw(50)
    after = observe((100 * x, y), frozen)
    assert_close(after.center, frozen.center, "center")
    assert_close(after.spread, frozen.spread, "spread")


@pytest.mark.slow
def test_from_the_freeze_on_chunks_are_one_batch() -> None:
    frozen, more = observe(draw(40)), draw(61)
    expected = observe(more, frozen)
    for chunk in (1, 7, 61):
        assert_same(in_chunks(more, chunk, frozen), expected)


def test_until_the_freeze_it_matters_which_observations_came_first() -> None:
    x, y = draw(101)
    x = x.sort(1).values
    chunks, batch = in_chunks((x, y), 33, empty()), observe((x, y))
    assert (chunks.spread < batch.spread).all()
    assert (predict(chunks, QUERIES).prediction - predict(batch, QUERIES).prediction).abs().max() > 1e-2


def test_contexts_freeze_one_by_one() -> None:
    x, y = draw(40)
    weight = torch.ones(B, 40, dtype=torch.float64)
    weight[1, 20:] = 0
    state = observe((x, y), weight=weight)
    assert state.frozen.tolist() == [1, 0]
    full, part = observe((x, y)), observe((x[:, :20], y[:, :20]))
    assert_close(state.comoment[0], full.comoment[0], "comoment", rtol=1e-9)
    assert_close(state.comoment[1], part.comoment[1], "comoment", rtol=1e-9)
    assert_close(predict(state, QUERIES).prediction[1], predict(part, QUERIES).prediction[1], "prediction", rtol=1e-9)


# A declared scale.


@pytest.mark.slow
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("chunk", [1, 7, 33, 101])
def test_with_a_declared_scale_chunks_are_one_batch(chunk: int, missing: float) -> None:
    data, start = draw(101, missing), declared(D if missing else 0)
    assert_same(in_chunks(data, chunk, start), observe(data, start))


@pytest.mark.parametrize("observations", [7, 101])
def test_with_a_declared_scale_removal_undoes_an_observation(observations: int) -> None:
    before = observe(draw(observations), declared())
    others = draw(11, seed=2)
    after = observe(others, observe(others, before), -1.0)
    assert_same(after, before, 1e-8)


def test_with_a_declared_scale_nothing_is_buffered() -> None:
    state = observe(draw(7), declared())
    assert not state.buffer.any()
    assert not state.buffer_weight.any()


# While the scale is not frozen.


def test_removal_undoes_a_buffered_observation() -> None:
    before, others = observe(draw(7)), draw(5, seed=2)
    after = observe(others, observe(others, before), -1.0)
    assert not after.frozen.any()
    assert_same(after, before, 1e-8)


@pytest.mark.parametrize("observations", [7, 40])
def test_padding_changes_nothing(observations: int) -> None:
    x, y = draw(observations)
    px, py = draw(50, seed=2)
    weight = torch.cat([torch.zeros(B, 50), torch.ones(B, observations)], 1).double()
    padded = observe((torch.cat([100 * px, x], 1), torch.cat([py, y], 1)), weight=weight)
    assert_same(padded, observe((x, y)))
    assert_same(observe((px, py), padded, 0.0), observe((x, y)))


@pytest.mark.parametrize("observations", [7, 40])
def test_no_observation_changes_nothing(observations: int) -> None:
    state = observe(draw(observations))
    after = observe(draw(0), state)
    for name, tensor in after._asdict().items():
        assert_close(tensor, getattr(state, name), name, rtol=1e-12)


def test_answers_do_not_depend_on_other_contexts() -> None:
    x, y = draw(20)
    together = predict(observe((x, y)), QUERIES)
    other = torch.cat([x[:1], 1e3 * x[1:]]), torch.cat([y[:1], -y[1:]])
    assert_close(predict(observe(other), QUERIES).prediction[0], together.prediction[0], "prediction", rtol=1e-9)
    assert_close(predict(observe(other), QUERIES).scale[0], together.scale[0], "scale", rtol=1e-9)


def test_answers_do_not_depend_on_other_queries() -> None:
    state = observe(draw(20))
    together = predict(state, QUERIES)
    for query in range(M):
        alone = predict(state, QUERIES[:, query : query + 1])
        assert_close(alone.prediction[:, 0], together.prediction[:, query], "prediction", rtol=1e-9)
        assert_close(alone.scale[:, 0], together.scale[:, query], "scale", rtol=1e-9)


def test_everything_taken_out_leaves_no_moments() -> None:
    data = draw(7)
    state = observe(data, observe(data), -1.0)
    for name in MOMENTS:
        assert not getattr(state, name).any(), name
    answer = predict(state, QUERIES)
    assert not answer.prediction.any()
    assert not answer.degrees_of_freedom.any()
