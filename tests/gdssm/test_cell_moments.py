"""Moments of tables with missing cells stay exact however the observations arrive, and whatever is taken out again."""

from collections.abc import Iterable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdssm import cell_moments
from gdssm.cell_moments import CellMoments
from gdssm.prior import ROUNDING
from tests.closeness import assert_close
from tests.nonempty import nonempty

B, N, D, K, F = 2, 101, 5, 3, 4
Array = NDArray[np.float64]
Table = tuple[Tensor, Tensor, Tensor]
"""x (B, N, D) with NaN in missing cells, y (B, N, K), and features (B, N, F)."""
EXACT = 1e-10
"""Agreement of one state reached by two ways, relative to the spread of the data."""
MOVED = {0.0: EXACT, 1e6: 1e-9}
"""The same by the mean of the data: it is itself rounded to 1e-10 of a spread of 1 where it is 1e6."""


def table(observations: int = N, mean: float = 0.0, missing: float = 0.3) -> Table:
    """Draw a table of spread 1; the more rows there are before, the higher its columns, so that chunks differ."""
    generator = torch.Generator().manual_seed(observations)

    def draw(columns: int) -> Tensor:
        return torch.randn(B, observations, columns, dtype=torch.float64, generator=generator)

    x = draw(D) + mean + 3 * torch.linspace(0, 1, observations, dtype=torch.float64)[:, None]
    gone = torch.rand(x.shape, generator=generator) < missing
    return torch.where(gone, torch.nan, x), draw(K) - mean, draw(F)


def ones(data: Table) -> Tensor:
    return torch.ones(data[0].shape[:2], dtype=torch.float64)


def part(data: Table, rows: object) -> Table:
    x, y, features = (tensor[:, rows] for tensor in data)  # type: ignore[index]
    return x, y, features


def observe(
    data: Table, weight: Tensor | None = None, state: CellMoments | None = None, indicators: int = D
) -> CellMoments:
    x, y, features = data
    state = state or cell_moments.empty(B, K + D, indicators, F)
    return cell_moments.add(state, x, y, features, ones(data) if weight is None else weight)


def chunks(size: int) -> list[Tensor]:
    return list(torch.split(torch.arange(N), size))


def in_chunks(data: Table, weight: Tensor, parts: Iterable[Tensor], indicators: int = D) -> CellMoments:
    state = cell_moments.empty(B, K + D, indicators, F)
    for rows in parts:
        state = observe(part(data, rows), weight[:, rows], state)
    return state


def defined(x: Array, y: Array, features: Array, weight: Array) -> dict[str, Array]:
    """Work the moments of one context out in two passes over the table with its means filled in."""
    there, share = ~np.isnan(x), weight[:, None] / weight.sum()
    cell_weight = weight[:, None] * there
    cells = np.where(there, x, 0.0)
    center = np.median(cells, 0)
    x_mean = center + (cell_weight * (cells - center)).sum(0) / cell_weight.sum(0)
    y_mean = y[0] + (share * (y - y[0])).sum(0)
    present, feature_mean = (share * there).sum(0), (share * features).sum(0)
    z = np.column_stack([y - y_mean, there * (cells - x_mean), there - present, features - feature_mean])
    return {
        "count": weight.sum(),
        "mean": np.concatenate([y_mean, x_mean]),
        "present": present,
        "comoment": z.T @ (weight[:, None] * z),
        "feature_mean": feature_mean,
    }


def assert_same(actual: CellMoments, expected: CellMoments, exact: float = EXACT) -> None:
    for name in ("count", "count_of_squares", "present", "comoment", "feature_mean"):
        assert_close(getattr(actual, name), getattr(expected, name), name, rtol=exact)
    squared = expected.comoment.diagonal(dim1=1, dim2=2)[:, : K + D]
    spread = (squared / expected.count[:, None]).sqrt()
    rounding = 4 * torch.finfo(torch.float64).eps * expected.mean.abs()
    assert ((actual.mean - expected.mean).abs() <= exact * spread + rounding).all(), "means differ"


def weights(kind: str) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    drawn = {"ones": torch.ones(B, N), "counts": torch.randint(0, 4, (B, N), generator=generator)}
    return drawn.get(kind, torch.rand(B, N, generator=generator)).double()


@pytest.mark.parametrize("mean", [0.0, 1e6])
@pytest.mark.parametrize("kind", ["ones", "counts", "fractions"])
@pytest.mark.parametrize("chunk", [1, 7, 50, N])
def test_they_are_those_of_the_table_filled_with_means_and_of_its_indicators(
    chunk: int, kind: str, mean: float
) -> None:
    data, weight = table(mean=mean), weights(kind)
    state = in_chunks(data, weight, chunks(chunk))
    for b in range(B):
        for name, expected in defined(*(tensor[b].numpy() for tensor in (*data, weight))).items():
            assert_close(getattr(state, name)[b], expected, name, rtol=MOVED[mean])


@pytest.mark.parametrize("mean", [0.0, 1e6])
@pytest.mark.parametrize("chunk", [1, 2, 7, 50])
def test_chunks_in_any_order_are_one_batch(chunk: int, mean: float) -> None:
    data, weight = table(mean=mean), weights("fractions")
    expected = observe(data, weight)
    parts = chunks(chunk)
    assert_same(in_chunks(data, weight, parts), expected, MOVED[mean])
    assert_same(in_chunks(data, weight, reversed(parts)), expected, MOVED[mean])
    shuffled = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    assert_same(in_chunks(data, weight, torch.split(shuffled, chunk)), expected, MOVED[mean])


@pytest.mark.parametrize("mean", [0.0, 1e6])
def test_a_large_mean_costs_no_digits(mean: float) -> None:
    """The same table moved by a mean, in steps of a power of two and so without rounding."""
    x, y, features = table()
    coarse = ((x * 2**8).round() / 2**8, (y * 2**8).round() / 2**8, features)
    moved = (coarse[0] + mean, coarse[1] - mean, features)
    for chunk in (3, N):
        expected = in_chunks(coarse, weights("ones"), chunks(chunk)).comoment
        # A mean is rounded to 1e-10 of the spread where that is a millionth of it.
        assert_close(in_chunks(moved, weights("ones"), chunks(chunk)).comoment, expected, "comoment", rtol=2e-10)


@pytest.mark.parametrize("mean", [0.0, 1e6])
@pytest.mark.parametrize("kind", ["ones", "counts", "fractions"])
def test_removal_undoes_an_observation(kind: str, mean: float) -> None:
    data, weight = table(mean=mean), weights(kind)
    expected = observe(part(data, slice(70)), weight[:, :70])
    state = observe(part(data, slice(70, None)), -weight[:, 70:], observe(data, weight))
    assert_same(state, expected, MOVED[mean])


def test_the_peak_is_the_largest_diagonal_so_far() -> None:
    data = table()
    whole = observe(data)
    assert_close(whole.peak, whole.comoment.diagonal(dim1=1, dim2=2)[:, : K + D], "peak")
    assert_close(observe(data, -0.5 * ones(data), whole).peak, whole.peak, "peak")


def test_adding_and_taking_out_in_one_call_cancels() -> None:
    data = table()
    kept, others = part(data, slice(None, 70)), part(data, slice(70, None))
    x, y, features = (torch.cat(pair, 1) for pair in zip(others, others, strict=True))
    weight = torch.cat([ones(others), -ones(others)], 1)
    assert_same(observe((x, y, features), weight, observe(kept)), observe(kept))


@pytest.mark.parametrize("weight", [1.0, 0.1])
def test_removing_all_observations_gives_the_empty_state(weight: float) -> None:
    data = table(7, 1e6)
    state = observe(data, -weight * ones(data), observe(data, weight * ones(data)))
    for name, tensor in nonempty(state._asdict().items()):
        assert not tensor.any(), name


def test_padding_changes_nothing() -> None:
    data, weight = table(), weights("fractions")
    padding = table(7, 1e3)
    x, y, features = (torch.cat(pair, 1) for pair in zip(padding, data, strict=True))
    padded = torch.cat([torch.zeros(B, 7, dtype=torch.float64), weight], 1)
    assert_same(observe((x, y, features), padded), observe(data, weight))


def test_no_observation_changes_nothing() -> None:
    state = observe(table())
    after = observe(part(table(), slice(0)), state=state)
    for name, before, now in zip(CellMoments._fields, state, after, strict=True):
        assert_close(now, before, name)


@pytest.mark.parametrize("chunk", [7, N])
def test_where_no_cell_is_missing_indicators_are_zero_and_change_nothing(chunk: int) -> None:
    data = table(missing=0.0)
    parts = chunks(chunk)
    without = in_chunks(data, weights("fractions"), parts, 0)
    with_them = in_chunks(data, weights("fractions"), parts, D)
    assert_close(with_them.present, torch.ones(B, D, dtype=torch.float64), "present")
    own = [*range(K + D), *range(K + 2 * D, K + 2 * D + F)]
    assert_close(with_them.comoment[:, own][:, :, own], without.comoment, "comoment", rtol=EXACT)
    indicators = with_them.comoment[:, K + D : K + 2 * D].abs().max()
    assert indicators <= 1e-12 * with_them.comoment.max()
    for name in ("count", "count_of_squares", "mean", "peak", "feature_mean"):
        assert_close(getattr(with_them, name), getattr(without, name), name, rtol=EXACT)


def test_a_column_may_have_its_first_cell_late() -> None:
    x, y, features = table(mean=1e6)
    x[:, :50, 2] = torch.nan
    state = in_chunks((x, y, features), weights("ones"), chunks(7))
    for b in range(B):
        expected = defined(*(tensor[b].numpy() for tensor in (x, y, features, weights("ones"))))
        for name, values in expected.items():
            assert_close(getattr(state, name)[b], values, name, rtol=1e-9)


def test_a_column_without_a_cell_has_no_mean_and_does_not_vary() -> None:
    x, y, features = table()
    x[..., 2] = torch.nan
    state = in_chunks((x, y, features), weights("ones"), chunks(7))
    assert not state.mean[:, K + 2].any()
    assert not state.present[:, 2].any()
    assert not state.comoment[:, K + 2].any()
    assert not state.comoment[:, K + D + 2].any()


def test_whole_weights_count_repeated_observations() -> None:
    data, weight = table(), weights("counts")
    counted = observe(data, weight)
    for b in range(B):
        rows = torch.repeat_interleave(torch.arange(N), weight[b].long())
        repeated = observe(part(data, rows))
        for name in ("count", "count_of_squares", "mean", "present", "comoment", "feature_mean"):
            assert_close(getattr(counted, name)[b], getattr(repeated, name)[b], name, rtol=EXACT)
    assert_close(counted.effective_count(), weight.sum(1), "effective count")


def test_other_weights_count_by_their_spread() -> None:
    weight = weights("fractions")
    expected = weight.sum(1).square() / weight.square().sum(1)
    assert_close(in_chunks(table(), weight, chunks(7)).effective_count(), expected, "effective count")
    fading = 0.98 ** torch.arange(N, dtype=torch.float64).flip(0).expand(B, N)
    expected = fading.sum(1).square() / fading.square().sum(1)
    assert_close(observe(table(), fading).effective_count(), expected, "effective count")


def test_the_effective_count_of_nothing_is_zero() -> None:
    assert not cell_moments.empty(B, K + D, D, F).effective_count().any()


@pytest.mark.slow
@pytest.mark.parametrize(("observations", "chunk"), [(2, 1), (7, 3), (10_000, 1), (10_000, 100), (10_000, 10_000)])
def test_the_comoment_of_a_constant_column_is_rounding(observations: int, chunk: int) -> None:
    values = torch.tensor([0.1, 1e15, -3.7e-9], dtype=torch.float64)
    x = values[:, None, None].expand(3, observations, 1)
    state = cell_moments.empty(3, 2, 0, 0)
    for rows in torch.split(x, chunk, dim=1):
        state = cell_moments.add(state, rows, rows, rows.new_zeros(*rows.shape[:2], 0), rows.new_ones(rows.shape[:2]))
    deviation = (state.comoment.diagonal(dim1=1, dim2=2) / observations).sqrt()
    assert (deviation <= ROUNDING * values.abs()[:, None]).all()
    assert_close(state.mean, values[:, None].expand(3, 2), "mean", rtol=1e-15)


def test_a_column_without_remaining_cells_is_constant() -> None:
    x, y, features = table()
    x[:, 20:, 2] = torch.nan
    data = x, y, features
    state = observe(part(data, slice(20)), -ones(data)[:, :20], observe(data))
    assert_same(state, observe(part(data, slice(20, None))))
