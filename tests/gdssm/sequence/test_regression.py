"""The sequence model of regression is one causal sequence, whatever the parts in which it is observed."""

import pytest
import torch
from torch import Tensor

from gdssm.sequence.regression import RegressorConfig, SequenceRegressor
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, M, N, context, ones
from tests.nonempty import nonempty

CONFIG = RegressorConfig(D, K, layers=2, width=12, heads=3, window=4, steps=3)


def drawn() -> SequenceRegressor:
    torch.manual_seed(0)
    return SequenceRegressor(CONFIG).double()


def whole(model: SequenceRegressor, x: Tensor, y: Tensor, x_query: Tensor) -> Tensor:
    """Predict for one query by its blocks, on all tokens at once."""
    positions = torch.cat(
        [torch.stack([model.enter_x(x), model.enter_y(y)], 2).flatten(1, 2), model.enter_x(x_query)], 1
    )
    for block in model.blocks:
        positions = block(positions)
    prediction: Tensor = model.head(model.norm(positions[:, -1:]))
    return prediction


def test_every_query_is_the_last_token_of_its_sequence() -> None:
    model, (x, y, x_query) = drawn(), context()
    predictions = model(x, y, x_query)
    assert predictions.shape == (B, M, K)
    for m in range(M):
        assert_close(predictions[:, m : m + 1], whole(model, x, y, x_query[:, m : m + 1]), f"query {m}", rtol=1e-10)
    assert model(x, y, x_query[:, :0]).shape == (B, 0, K)


@pytest.mark.parametrize("chunk", [1, 2, 3, N])
def test_in_parts_it_is_the_whole_context(chunk: int) -> None:
    model, (x, y, x_query) = drawn(), context()
    state = model.empty_state(B, D, K)
    for start in range(0, N, chunk):
        part = slice(start, start + chunk)
        state = model.observe(state, x[:, part], y[:, part], ones(x[:, part]))
        state = model.observe(state, x[:, :0], y[:, :0], ones(x[:, :0]))
    assert_close(model.predict(state, x_query), model(x, y, x_query), "predictions", rtol=1e-10)


def test_padding_has_no_effect_at_any_position() -> None:
    model, (x, y, x_query) = drawn(), context()
    places = torch.tensor([0, 0, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0], dtype=torch.float64)
    padded_x, padded_y = (torch.full((B, len(places), size), 9.0, dtype=torch.float64) for size in (D, K))
    padded_x[:, places == 1], padded_y[:, places == 1] = x, y
    state = model.empty_state(B, D, K)
    for part in (slice(0, 4), slice(4, 5), slice(5, 10), slice(10, 13)):
        weight = places[part].expand(B, -1)
        state = model.observe(state, padded_x[:, part], padded_y[:, part], weight)
    assert_close(model.predict(state, x_query), model(x, y, x_query), "predictions", rtol=1e-10)


def test_contexts_of_a_batch_may_have_other_lengths() -> None:
    model, (x, y, x_query) = drawn(), context()
    weight = ones(x)
    weight[1, 4:] = 0.0
    state = model.observe(model.empty_state(B, D, K), x, y, weight)
    alone = model(x[1:, :4], y[1:, :4], x_query[1:])
    assert_close(model.predict(state, x_query)[1:], alone, "the shorter context", rtol=1e-10)


def test_a_weight_multiplies_what_is_written() -> None:
    model, (x, y, _) = drawn(), context(1)
    empty = model.empty_state(B, D, K)
    once, twice = (model.observe(empty, x, y, factor * ones(x)) for factor in (1.0, 2.0))
    assert_close(twice.count, 2 * once.count, "count")
    assert_close(twice.gram[:, 0], 2 * once.gram[:, 0], "G of the first layer")
    assert_close(twice.cross[:, 0], 2 * once.cross[:, 0], "R of the first layer")


def test_the_empty_state_is_zero() -> None:
    for name, tensor in nonempty(drawn().empty_state(B, D, K)._asdict().items()):
        assert not tensor.any(), name


def test_every_weight_has_a_gradient() -> None:
    model, data = drawn(), context()
    torch.autograd.backward(model(*data).square().sum())
    for name, weight in nonempty(model.named_parameters()):
        assert weight.grad is not None, name
        assert weight.grad.any(), name


def test_a_window_of_one_token_is_refused() -> None:
    with pytest.raises(ValueError, match="window is 1"):
        RegressorConfig(D, window=1)
