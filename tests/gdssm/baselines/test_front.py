"""What a baseline gets to read."""

import pytest
import torch

from gdssm.baselines.sequence import Front, positional_code, window_products
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, N, context


def test_a_window_is_its_tokens_and_their_products() -> None:
    x, y, x_query = context(queries=1)
    features = window_products(x, y, x_query)
    following = torch.cat([x[:, 1:], x_query], 1)
    assert features.shape == (B, N, 2 * D + K + D * K)
    for b in range(B):
        for i in range(N):
            products = torch.outer(x[b, i], y[b, i]).flatten()
            expected = torch.cat([x[b, i], y[b, i], following[b, i], products])
            assert_close(features[b, i], expected, f"window {i} of context {b}")


@pytest.mark.parametrize(("windowed", "length"), [(True, N), (False, 2 * N + 1)])
def test_it_ends_with_the_query(windowed: bool, length: int) -> None:
    x, y, x_query = context(queries=1, dtype=torch.float32)
    front = Front(D, K, 11, windowed=windowed, positions=True)
    before, after = front(x, y, x_query), front(x, y, x_query + 1.0)
    assert before.shape == (B, length, 11)
    assert_close(before[:, :-1], after[:, :-1], "positions before the query")
    assert (before[:, -1] != after[:, -1]).any()


def test_windows_are_a_set_and_raw_tokens_have_an_order() -> None:
    x, y, x_query = context(queries=1, dtype=torch.float32)
    same_x, same_y = x[:, :1].expand_as(x), y[:, :1].expand_as(y)
    windows = Front(D, K, 11, windowed=True, positions=True)(same_x, same_y, x_query)
    assert_close(windows[:, 0], windows[:, 1], "windows of the same tokens")
    tokens = Front(D, K, 11, windowed=False, positions=True)(same_x, same_y, x_query)
    assert (tokens[:, 0] != tokens[:, 2]).any()


@pytest.mark.parametrize("width", [2, 7, 24])
def test_every_position_has_a_code_of_its_own(width: int) -> None:
    code = positional_code(torch.zeros(1, 101, width))
    assert code.shape == (101, width)
    assert (torch.cdist(code, code) + torch.eye(101)).min() > 1e-3
