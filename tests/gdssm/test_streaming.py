"""A trained stack that streams is the whole sequence, also where its gate looks ahead and its state fades."""

import pytest
import torch

from gdssm.stack import StackConfig
from gdssm.streaming import OpenState, StreamingStack
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, M, N, context, ones
from tests.gdssm.test_stack import CONFIGS, drawn
from tests.nonempty import nonempty


def whole(config: StackConfig) -> tuple[StreamingStack, tuple[torch.Tensor, ...], torch.Tensor]:
    """A stack, a context, and what the stack says to each query at the end of the whole sequence."""
    stack, (x, y, x_query) = drawn(config), context()
    answers = [stack(x, y, x_query[:, m : m + 1]) for m in range(M)]
    return StreamingStack(stack), (x, y, x_query), torch.cat(answers, dim=1)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("chunk", [1, 2, 3, N])
def test_in_chunks_it_is_the_whole_sequence(config: StackConfig, chunk: int) -> None:
    model, (x, y, x_query), expected = whole(config)
    state = model.empty_state(B, D, K)
    for start in range(0, N, chunk):
        part = slice(start, start + chunk)
        state = model.observe(state, x[:, part], y[:, part], ones(x[:, part]))
        state = model.observe(state, x[:, :0], y[:, :0], ones(x[:, :0]))
    assert_close(model.predict(state, x_query), expected, "prediction")


@pytest.mark.parametrize("config", CONFIGS)
def test_padding_has_no_effect_at_any_position(config: StackConfig) -> None:
    model, (x, y, x_query), expected = whole(config)
    places = [0, 0, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0]
    weight = torch.tensor(places, dtype=torch.float64).expand(B, -1)
    padded_x = torch.full((B, len(places), D), 9.0, dtype=torch.float64)
    padded_y = torch.full((B, len(places), K), -9.0, dtype=torch.float64)
    padded_x[:, weight[0] == 1], padded_y[:, weight[0] == 1] = x, y
    state = model.empty_state(B, D, K)
    for part in (slice(0, 4), slice(4, 5), slice(5, 10), slice(10, 13)):
        state = model.observe(state, padded_x[:, part], padded_y[:, part], weight[:, part])
    assert_close(model.predict(state, x_query), expected, "prediction")


def test_the_empty_state_is_zero_and_predicts_zero() -> None:
    model, (x, y, x_query), _ = whole(CONFIGS[1])
    state = model.observe(model.empty_state(B, D, K), x[:, :3], y[:, :3], torch.zeros(B, 3, dtype=torch.float64))
    for name, tensor in nonempty(zip(OpenState._fields, state, strict=True)):
        assert not tensor.any(), name
    assert not model.predict(state, x_query).any()


@pytest.mark.slow
def test_queries_of_a_batch_are_independent() -> None:
    model, (x, y, x_query), expected = whole(CONFIGS[1])
    state = model.observe(model.empty_state(B, D, K), x, y, ones(x))
    assert_close(model.predict(state, x_query[:, 2:3]), expected[:, 2:3], "prediction")
    assert model.predict(state, x_query[:, :0]).shape == (B, 0, K)


def test_the_order_matters_where_the_state_fades() -> None:
    model, (x, y, x_query), expected = whole(CONFIGS[0])
    backward = model.observe(model.empty_state(B, D, K), x.flip(1), y.flip(1), ones(x))
    assert (model.predict(backward, x_query) - expected).abs().max() > 0.01
