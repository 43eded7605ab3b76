"""One linear readout for all strengths and groups of features, whatever the units and whatever does not vary."""

import pytest
import torch
from torch import Tensor

from gdssm import cell_moments
from gdssm.cell_moments import CellMoments
from gdssm.prior import NUMBERS, RESIDUE, ROUNDING
from gdssm.readout import Readout, read, spread
from tests.closeness import assert_close
from tests.nonempty import nonempty

B, N, D, K, F = 2, 37, 5, 3, 4
E = D + F
BLOCK = torch.tensor([NUMBERS] * D + [2.0] * F, dtype=torch.float64)
LINEAR = torch.ones(D, dtype=torch.float64)
BOTH = torch.tensor([0.4] * D + [0.6] * F, dtype=torch.float64)
GROUPS = (LINEAR, BOTH)
EXACT = 1e-9


def data(observations: int = N) -> tuple[Tensor, Tensor, Tensor]:
    """Draw x (B, N, D), features of it (B, N, F), and y of both (B, N, K)."""
    generator = torch.Generator().manual_seed(observations)
    x = torch.randn(B, observations, D, dtype=torch.float64, generator=generator)
    features = torch.tanh(x[..., :F] * x[..., 1:])
    noise = torch.randn(B, observations, K, dtype=torch.float64, generator=generator)
    return x, features, x[..., :K] + 2 * features[..., :K] + noise


def state_of(x: Tensor, features: Tensor, y: Tensor, weight: Tensor | None = None) -> CellMoments:
    empty = cell_moments.empty(len(x), y.shape[-1] + x.shape[-1], 0, features.shape[-1])
    return cell_moments.add(empty, x, y, features, x.new_ones(x.shape[:2]) if weight is None else weight)


def assert_same(actual: Readout, expected: Readout, exact: float = EXACT) -> None:
    for name, own, other in zip(Readout._fields, actual, expected, strict=True):
        assert_close(own, other, name, rtol=exact)


def test_the_response_maps_the_comoment_of_features_and_y_to_the_weights() -> None:
    state = state_of(*data())
    found = read(state, K, BLOCK, GROUPS)
    cross = state.comoment[:, K:, :K]
    weight = torch.stack([(found.response[:, k] @ cross[:, :, k, None])[..., 0] for k in range(K)], -1)
    assert_close(weight, found.weight, "weight", rtol=EXACT)


def test_the_covariance_is_symmetric_and_its_quadratic_form_positive() -> None:
    found = read(state_of(*data()), K, BLOCK, GROUPS)
    assert_close(found.covariance.mT, found.covariance, "covariance")
    assert (torch.linalg.eigvalsh(found.covariance) > 0).all()
    assert (found.noise > 0).all()


def test_outputs_are_read_independently() -> None:
    x, features, y = data()
    together = read(state_of(x, features, y), K, BLOCK, GROUPS)
    for k in range(K):
        alone = read(state_of(x, features, y[..., k : k + 1]), 1, BLOCK, GROUPS)
        assert_close(together.weight[..., k : k + 1], alone.weight, "weight", rtol=EXACT)
        for name in ("covariance", "noise", "response"):
            assert_close(getattr(together, name)[:, k : k + 1], getattr(alone, name), name, rtol=EXACT)


def test_contexts_do_not_touch_each_other() -> None:
    together = read(state_of(*data()), K, BLOCK, GROUPS)
    for b in range(B):
        alone = read(state_of(*(tensor[b : b + 1] for tensor in data())), K, BLOCK, GROUPS)
        assert_same(Readout(*(tensor[b : b + 1] for tensor in together)), alone)


def test_a_group_of_zeros_is_left_out() -> None:
    state, zeros = state_of(*data()), torch.zeros(1, dtype=torch.float64)
    assert_same(read(state, K, BLOCK, (LINEAR, BOTH, zeros)), read(state, K, BLOCK, GROUPS))


def test_a_group_given_twice_counts_as_once() -> None:
    state = state_of(*data())
    assert_same(read(state, K, BLOCK, (BOTH, BOTH)), read(state, K, BLOCK, (BOTH,)))


def test_groups_are_averaged_and_not_chosen() -> None:
    state = state_of(*data(7))
    alone = [read(state, K, BLOCK, (group,)).weight for group in GROUPS]
    both = read(state, K, BLOCK, GROUPS).weight
    low, high = torch.minimum(*alone), torch.maximum(*alone)
    assert ((both >= low - 1e-12) & (both <= high + 1e-12)).all()
    for weight in nonempty(alone):
        assert (both - weight).abs().max() > 1e-3


def test_a_group_of_the_first_features_is_the_state_without_the_others() -> None:
    x, features, y = data()
    found = read(state_of(x, features, y), K, BLOCK, (LINEAR,))
    alone = read(state_of(x, features[..., :0], y), K, BLOCK[:D], (LINEAR,))
    assert not found.weight[:, D:].any()
    assert_close(found.weight[:, :D], alone.weight, "weight", rtol=EXACT)
    assert_close(found.covariance[..., :D, :D], alone.covariance, "covariance", rtol=EXACT)
    assert not found.covariance[..., D:, :].any()
    assert_close(found.noise, alone.noise, "noise", rtol=EXACT)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_numbers_have_the_same_share_in_any_unit(unit: float) -> None:
    x, features, y = data()
    units = torch.tensor([1.0, unit, 1.0, 1 / unit, 1.0], dtype=torch.float64)
    found = read(state_of(x * units, features, y), K, BLOCK, GROUPS)
    expected = read(state_of(x, features, y), K, BLOCK, GROUPS)
    assert_close(found.weight[:, :D] * units[:, None], expected.weight[:, :D], "weight", rtol=EXACT)
    assert_close(found.weight[:, D:], expected.weight[:, D:], "weight of features", rtol=EXACT)
    assert_close(found.noise, expected.noise, "noise", rtol=EXACT)


def test_features_have_the_same_share_as_a_block_and_more_of_it_the_more_they_vary() -> None:
    x, features, y = data()
    expected = read(state_of(x, features, y), K, BLOCK, GROUPS)
    whole = read(state_of(x, 7 * features, y), K, BLOCK, GROUPS)
    assert_close(7 * whole.weight[:, D:], expected.weight[:, D:], "weight of features", rtol=EXACT)
    assert_close(whole.noise, expected.noise, "noise", rtol=EXACT)
    units = torch.tensor([1.0, 7.0, 1.0, 1.0], dtype=torch.float64)
    one = read(state_of(x, units * features, y), K, BLOCK, GROUPS)
    assert (one.noise / expected.noise - 1).abs().max() > 1e-3


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_predictions_and_scales_are_in_the_unit_of_y(unit: float) -> None:
    x, features, y = data()
    found = read(state_of(x, features, unit * y - 7 * unit), K, BLOCK, GROUPS)
    expected = read(state_of(x, features, y), K, BLOCK, GROUPS)
    assert_close(found.weight, unit * expected.weight, "weight", rtol=EXACT)
    assert_close(found.covariance, unit**2 * expected.covariance, "covariance", rtol=EXACT)
    assert_close(found.noise, unit**2 * expected.noise, "noise", rtol=EXACT)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e15])
def test_constant_columns_and_features_are_left_out(value: float) -> None:
    x, features, y = data()
    x[..., 2], features[..., 1] = value, min(value, 1.0)
    state = state_of(x, features, y)
    kept = [0, 1, 3, 4]
    variance = spread(state, K).variance
    assert not variance[:, [2, D + 1]].any()
    assert (variance > 0).sum() == B * (E - 2)
    found = read(state, K, BLOCK, GROUPS)
    assert not found.weight[:, [2, D + 1]].any()
    without = [*kept, *(D + place for place in (0, 2, 3))]
    expected = read(
        state_of(x[..., kept], features[..., [0, 2, 3]], y), K, BLOCK[without], (LINEAR[kept], BOTH[without])
    )
    assert_close(found.weight[:, without], expected.weight, "weight", rtol=1e-7 if value > 1 else EXACT)


def test_a_constant_output_is_answered_with_itself_and_without_a_scale() -> None:
    x, features, y = data()
    y[..., 1] = 0.1
    found = read(state_of(x, features, y), K, BLOCK, GROUPS)
    assert not found.weight[..., 1].any()
    assert not found.noise[:, 1].any()
    assert not found.covariance[:, 1].any()
    assert (found.noise[:, [0, 2]] > 0).all()


def test_a_column_varies_if_it_does_by_more_than_the_rounding_of_its_mean() -> None:
    for deviation, varies in ((0.25 * ROUNDING, False), (4 * ROUNDING, True)):
        y = torch.tensor([0.0, 1.0], dtype=torch.float64)[None, :, None]
        x = torch.tensor([1 - deviation, 1 + deviation], dtype=torch.float64)[None, :, None]
        assert (spread(state_of(x, y[..., :0], y), 1).variance > 0).all() == varies


def test_a_column_that_varied_only_in_removed_observations_is_constant() -> None:
    x, features, y = data()
    x[:, 1:, 2] = 0.0
    x[:, 0, 2] = 1e3
    state = state_of(x, features, y)
    out = cell_moments.add(state, x[:, :1], y[:, :1], features[:, :1], -x.new_ones(B, 1))
    assert (spread(state, K).variance[:, 2] > 0).all()
    assert not spread(out, K).variance[:, 2].any()
    expected = read(state_of(x[:, 1:], features[:, 1:], y[:, 1:]), K, BLOCK, GROUPS)
    assert_same(read(out, K, BLOCK, GROUPS), expected, 1e-7)


@pytest.mark.parametrize("observations", [0, 1])
def test_there_is_no_scale_without_two_observations(observations: int) -> None:
    x, features, y = (tensor[:, :observations] for tensor in data())
    found = read(state_of(x, features, y), K, BLOCK, GROUPS)
    for name, tensor in nonempty(found._asdict().items()):
        assert not tensor.any(), name


@pytest.mark.parametrize("column", [0, K])
@pytest.mark.parametrize(("share", "varies"), [(0.99, False), (1.01, True)])
def test_a_variation_that_rounding_may_have_left_of_its_peak_is_none(column: int, share: float, varies: bool) -> None:
    """What `peak` is for: after observations were taken out, a residue of 1e-14 of it is no variation."""
    state = state_of(*data())
    peak, comoment = state.peak.clone(), state.comoment.clone()
    peak[:, column] *= 1e12
    comoment[:, column, column] = share * RESIDUE * peak[:, column]
    found = spread(state._replace(peak=peak, comoment=comoment, mean=0 * state.mean), K)
    both = torch.cat([found.outputs, found.variance], -1)
    assert (both[:, column] > 0).tolist() == [varies] * B
    others = [*range(column), *range(column + 1, K + D)]
    assert (both[:, others] > 0).all()
