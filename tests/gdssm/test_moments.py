"""The moments stay exact however the observations arrive, and whatever is taken out again."""

import numpy as np
import pytest
import torch

from gdssm.model import StandardizedDescent
from gdssm.moments import Moments
from tests.closeness import assert_close
from tests.nonempty import nonempty

MODEL = StandardizedDescent(8)
EXACT = 1e-10
"""Agreement of one state reached by two ways, relative to the spread of the data."""


def observe(state: Moments | None, data: torch.Tensor, weight: torch.Tensor | None = None) -> Moments:
    x, y = data[..., :-1], data[..., -1:]
    state = state or MODEL.empty_state(data.shape[0], x.shape[-1], 1)
    with torch.no_grad():
        return MODEL.observe(state, x, y, x.new_ones(x.shape[:2]) if weight is None else weight)


def draw(observations: int, mean: float = 0.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(observations)
    return torch.randn(2, observations, 6, dtype=torch.float64, generator=generator) + mean


def assert_same(actual: Moments, expected: Moments) -> None:
    for name in ("count", "comoment"):
        assert_close(getattr(actual, name), getattr(expected, name), name, rtol=EXACT)
    spread = (expected.comoment.diagonal(dim1=1, dim2=2) / expected.count[:, None]).sqrt()
    rounding = 4 * torch.finfo(torch.float64).eps * expected.mean.abs()
    assert ((actual.mean - expected.mean).abs() <= EXACT * spread + rounding).all(), "means differ"


@pytest.mark.parametrize("mean", [0.0, 1e6])
def test_they_are_the_definition(mean: float) -> None:
    data = draw(101, mean)
    moments = observe(None, data)
    for b, context in enumerate(data.numpy()):
        covariance = np.cov((context - mean).T, bias=True) * 101
        assert_close(moments.comoment[b], covariance, "comoment", rtol=1e-9)
        assert_close(moments.mean[b], context.mean(0), "mean")


@pytest.mark.parametrize("mean", [0.0, 1e6])
@pytest.mark.parametrize("chunk", [1, 2, 7, 50, 101])
def test_in_chunks_as_at_once(chunk: int, mean: float) -> None:
    data = draw(101, mean)
    state: Moments | None = None
    for part in torch.split(data, chunk, dim=1):
        state = observe(state, part)
    assert state is not None
    assert_same(state, observe(None, data))


@pytest.mark.parametrize("mean", [0.0, 1e6])
def test_removal_undoes_an_observation(mean: float) -> None:
    data, others = draw(20, mean), 3 * draw(7) + mean
    both = observe(observe(None, data), others)
    assert_same(observe(both, others, -torch.ones(2, 7, dtype=torch.float64)), observe(None, data))


def test_adding_and_taking_out_in_one_call_cancels() -> None:
    data, other = draw(20), draw(3)
    weight = torch.tensor([[1.0] * 3 + [-1.0] * 3] * 2, dtype=torch.float64)
    assert_same(observe(observe(None, data), torch.cat([other, other], 1), weight), observe(None, data))


def test_removing_all_observations_gives_the_empty_state() -> None:
    data = draw(7, 1e6)
    weight = torch.full((2, 7), 0.1, dtype=torch.float64)
    state = observe(observe(None, data, weight), data, -weight)
    for name, tensor in nonempty(state._asdict().items()):
        assert not tensor.any(), name


def test_nothing_added_changes_nothing() -> None:
    state = observe(None, draw(7))
    for name, before, after in zip(Moments._fields, state, observe(state, draw(7)[:, :0]), strict=True):
        assert_close(after, before, name)


def test_a_column_that_varied_only_in_removed_observations_is_constant() -> None:
    data = draw(20)
    data[..., 2] = 0.0
    rare = draw(1)
    rare[..., 2] = 1.0
    state = observe(observe(observe(None, data), rare), rare, -torch.ones(2, 1, dtype=torch.float64))
    queries = draw(5)[..., :-1]
    expected = MODEL.predict(observe(None, data), queries)
    assert_close(MODEL.predict(state, queries), expected, "prediction", rtol=1e-9)
