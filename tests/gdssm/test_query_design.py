"""Queries are centred, moved in where they lie beyond all observations, and described."""

import torch
from torch import Tensor

from gdssm import cell_moments
from gdssm.cell_moments import CellMoments
from gdssm.query_design import Diagnostics, design_of, with_blank
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, M, N, context, ones

NAN = float("nan")


def design(state: CellMoments, x_query: Tensor) -> tuple[Tensor, Diagnostics]:
    """Make the design of queries without further features, the blank one apart."""
    blank = with_blank(x_query)
    rows, diagnostics = design_of(state, K, blank, blank.new_zeros(*blank.shape[:2], 0))
    return rows[:, :-1], diagnostics


def state_of(x: Tensor, y: Tensor, indicators: int = 0) -> CellMoments:
    return cell_moments.add(cell_moments.empty(B, K + D, indicators, 0), x, y, x.new_zeros(B, x.shape[1], 0), ones(x))


def test_a_query_among_the_observations_is_its_offset_from_their_mean() -> None:
    x, y, _ = context()
    rows, found = design(state_of(x, y), x)
    assert_close(rows, x - x.mean(1, keepdim=True), "design")
    assert not found.clipped.any()
    assert not found.constant.any()
    assert (found.degrees_of_freedom == N - 1).all()


def test_a_far_query_is_moved_in_and_its_columns_are_counted() -> None:
    x, y, _ = context()
    mean, spread = x.mean(1, keepdim=True), x.std(1, keepdim=True, correction=0)
    far = torch.zeros(B, M, D, dtype=torch.float64)
    far[:, 1, 0], far[:, 2, :2] = 1e6, -1e6
    rows, found = design(state_of(x, y), mean + far)
    reach = (1 + (N - 1) ** 0.5) * spread[:, 0]
    assert_close(rows[:, 1, 0], reach[:, 0], "moved in from above")
    assert_close(rows[:, 2, :2], -reach[:, :2], "moved in from below")
    assert found.clipped.tolist() == [[0, 1, 2, 0]] * B


def test_a_missing_cell_is_at_the_mean_with_an_indicator() -> None:
    x, y, x_query = context()
    x[:, 0, 1], x_query[:, 2, 3] = NAN, NAN
    rows, _ = design(state_of(x, y, D), x_query)
    assert not rows[:, 2, 3].any()
    present = torch.ones(D, dtype=torch.float64)
    present[1] = (N - 1) / N
    seen = torch.ones(M, D, dtype=torch.float64)
    seen[2, 3] = 0
    assert_close(rows[:, :, D:], (seen - present).expand(B, M, D), "indicators")


def test_a_constant_column_is_named_and_queries_do_not_move_in_it() -> None:
    x, y, x_query = context()
    x[..., 2] = 4.0
    rows, found = design(state_of(x, y), x_query)
    assert found.constant.tolist() == [[0, 0, 1, 0, 0]] * B
    assert not rows[..., 2].any()


def test_without_an_observation_every_column_is_constant_and_no_query_is_clipped() -> None:
    x, y, x_query = context()
    rows, found = design(state_of(x[:, :0], y[:, :0]), x_query)
    assert not rows.any()
    assert not found.degrees_of_freedom.any()
    assert not found.clipped.any()
    assert found.constant.all()
