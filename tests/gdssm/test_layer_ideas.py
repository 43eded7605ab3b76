"""The four ideas, each against its definition written out."""

import torch

from gdssm.construction import pairs, place
from gdssm.input_gate import InputGate
from gdssm.output_gate import OutputGate
from gdssm.tokens import embed_query, interleave
from gdssm.window import NEXT_X, X, Y, slide
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, N, context


def test_tokens_alternate_x_and_y_and_end_with_the_query() -> None:
    x, y, x_query = context(queries=1)
    tokens = interleave(x, y, x_query)
    assert tokens.shape == (B, 2 * N + 1, D + K)
    for i in range(N):
        assert torch.equal(tokens[:, 2 * i, :D], x[:, i])
        assert torch.equal(tokens[:, 2 * i + 1, D:], y[:, i])
    assert torch.equal(tokens[:, -1:, :D], x_query)
    assert not tokens[:, ::2, D:].any(), "x must leave the places of y empty"
    assert not tokens[:, 1::2, :D].any(), "y must leave the places of x empty"


def test_a_window_is_a_pair_and_the_next_input() -> None:
    x, y, x_query = context(queries=1)
    windows = slide(interleave(x, y, x_query))
    assert windows.shape == (B, N, 3, D + K)
    following = torch.cat([x[:, 1:], x_query], dim=1)
    for place_, expected in ((X, embed_query(x, K)), (NEXT_X, embed_query(following, K))):
        assert torch.equal(windows[:, :, place_], expected)
    assert torch.equal(windows[:, :, Y, D:], y)


def test_a_sequence_of_the_query_alone_has_no_window() -> None:
    x, y, x_query = context(queries=1)
    assert slide(interleave(x[:, :0], y[:, :0], x_query)).shape == (B, 0, 3, D + K)


def test_the_input_gate_is_the_bilinear_form() -> None:
    window = torch.randn(B, N, 3, 8, dtype=torch.float64)
    weight = torch.randn(3, 3, dtype=torch.float64)
    literal = sum(weight[a, b] * window[..., a, :, None] * window[..., b, None, :] for a in range(3) for b in range(3))
    assert_close(InputGate(weight)(window), literal, "Xᵀ P X")


def test_the_constructed_input_gate_multiplies_x_with_y() -> None:
    x, y, x_query = context(queries=1)
    update = InputGate(pairs((X, Y), dtype=x.dtype))(slide(interleave(x, y, x_query)))
    assert_close(update[:, :, :D, D:], x[..., :, None] * y[..., None, :], "x yᵀ")
    update[:, :, :D, D:] = 0
    assert not update.any(), "nothing but x yᵀ may be made"


def test_the_output_gate_multiplies_the_state_with_the_chosen_token() -> None:
    x, y, x_query = context(queries=1)
    window = slide(interleave(x, y, x_query))[:, -1]
    state = torch.randn(B, D + K, D + K, dtype=torch.float64)
    gate = OutputGate(place(NEXT_X, dtype=torch.float64))
    literal = torch.stack([state[b].T @ embed_query(x_query, K)[b, 0] for b in range(B)])
    assert_close(gate(state, gate.query(window)), literal, "Zᵀ q")
