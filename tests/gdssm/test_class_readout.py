"""A readout describes the scores of each class: where they are, and how they vary within it."""

import pytest
import torch
from torch import Tensor

from gdssm import cell_moments
from gdssm.cell_moments import CellMoments
from gdssm.class_readout import ClassReadout, class_probabilities, read_classes
from gdssm.prior import NUMBERS
from tests.closeness import assert_close

B, N, M, D, C = 2, 37, 4, 5, 3
BLOCK = torch.full((D,), NUMBERS, dtype=torch.float64)
GROUPS = (torch.ones(D, dtype=torch.float64),)


def data(observations: int = N) -> tuple[Tensor, Tensor]:
    """Draw x (B, N, D) and one-hot y of all classes (B, N, C), which depend on x."""
    generator = torch.Generator().manual_seed(observations)
    x = torch.randn(B, observations, D, dtype=torch.float64, generator=generator)
    noise = torch.randn(B, observations, C, dtype=torch.float64, generator=generator)
    label = (x[..., :C] + noise).argmax(-1)
    return x, torch.nn.functional.one_hot(label, C).double()


def state_of(x: Tensor, y: Tensor) -> CellMoments:
    empty = cell_moments.empty(B, C + D, 0, 0)
    return cell_moments.add(empty, x, y, x.new_zeros(*x.shape[:2], 0), x.new_ones(x.shape[:2]))


def read(x: Tensor, y: Tensor) -> ClassReadout:
    return read_classes(state_of(x, y), C, BLOCK, GROUPS)


def answers(state: CellMoments, readout: ClassReadout, design: Tensor) -> Tensor:
    return class_probabilities(readout, design, state.mean[:, :C], state.effective_count())


def test_scores_sum_to_one_and_so_do_the_means_of_every_class() -> None:
    found = read(*data())
    assert found.weight.sum(-1).abs().max() < 1e-12 * found.weight.abs().max()
    assert found.center.sum(-1).abs().max() < 1e-12 * found.center.abs().max()


def test_the_metric_inverts_a_covariance_but_for_the_direction_in_which_scores_do_not_vary() -> None:
    x, y = data()
    metric, frequency = read(x, y).metric, y.mean(1)
    values = torch.linalg.eigvalsh(metric)
    assert_close(metric.mT, metric, "metric", rtol=1e-9)
    assert (values[:, 0].abs() < 1e-9 * values[:, -1]).all()
    assert (values[:, 1:] > 0).all()
    along = (metric @ (frequency * (1 - frequency))[..., None])[..., 0]
    assert (along.abs() < 1e-9 * values[:, -1:]).all()


def test_centers_are_the_means_of_scores_that_leave_each_observation_out_on_average() -> None:
    """They lie between the mean of the fitted scores and that of all: fitted scores are too close to their class."""
    x, y = data()
    found = read(x, y)
    fitted = (x - x.mean(1, keepdim=True)) @ found.weight
    means = (y / y.sum(1, keepdim=True)).mT @ fitted
    own, left_out = (torch.diagonal(rows, dim1=1, dim2=2) for rows in (means, found.center))
    assert (left_out < own).all()
    assert (left_out > 0).all()


def test_a_class_that_does_not_occur_has_no_part_in_the_metric() -> None:
    x, y = data()
    y = torch.stack([y[..., 0] + y[..., 1], torch.zeros_like(y[..., 0]), y[..., 2]], -1)
    found = read(x, y)
    for tensor in (found.metric, found.center):
        assert not tensor[:, 1].any()
        assert not tensor[:, :, 1].any()
    assert found.metric[:, 0, 0].gt(0).all()


@pytest.mark.parametrize("observations", [0, 1, 7])
def test_without_two_classes_there_is_no_metric(observations: int) -> None:
    x, _ = data(observations)
    y = torch.nn.functional.one_hot(torch.ones(x.shape[:2], dtype=torch.long), C).double()
    found = read(x, y)
    assert not any(tensor.any() for tensor in found)


def test_probabilities_sum_to_one_and_none_is_zero() -> None:
    x, y = data()
    state = state_of(x, y)
    found = answers(state, read(x, y), 1e3 * x[:, :M])
    assert_close(found.sum(-1), torch.ones(B, M, dtype=torch.float64), "sum")
    assert (found >= 1 / (N + C) - 1e-12).all()


def test_the_class_with_the_nearest_center_is_the_most_probable_where_all_are_as_frequent() -> None:
    x, y = data()
    state, found = state_of(x, y), read(x, y)
    even = torch.full((B, C), 1 / C, dtype=torch.float64)
    offset = (x[:, :M] @ found.weight)[:, :, None] - found.center[:, None]
    distance = torch.einsum("bmci,bij,bmcj->bmc", offset, found.metric, offset)
    probability = class_probabilities(found, x[:, :M], even, state.effective_count())
    assert (probability.argmax(-1) == distance.argmin(-1)).all()


def test_a_far_query_is_less_certain_than_normal_scores_would_make_it() -> None:
    """Tails are those of Student's t: log odds grow with the logarithm of the distance, and end at its ratio."""
    x, y = data()
    state, found = state_of(x, y), read(x, y)
    direction = x[:, :1]
    near, far, beyond = (answers(state, found, factor * direction).amax(-1) for factor in (1e1, 1e3, 1e6))
    assert (beyond < far).all()
    assert (far < near).all()
