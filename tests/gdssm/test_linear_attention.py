"""Linear self-attention is the same gradient step, and the same layer in other words."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gdssm import linear_attention, reference
from gdssm.construction import one_step, one_step_from
from gdssm.layer import GDSSMLayer
from gdssm.linear_attention import LinearAttention, from_layer
from gdssm.tokens import interleave
from gdssm.window import NEXT_X, X, Y, slide
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, M, N, context, initial_weight, ones

F = D + K
LENGTHS = [1, 2, 7, 101, 1000]
Data = tuple[Tensor, Tensor, Tensor]


def attend(attention: LinearAttention, data: Data) -> Tensor:
    x, y, x_query = data
    return attention.predict(x, y, ones(x), x_query).detach()


def scan(layer: GDSSMLayer, data: Data) -> Tensor:
    output, _ = layer.scan(slide(interleave(*data)), ones(data[0]), layer.empty_state(B))
    return output[:, -1:, data[0].shape[-1] :].detach()


def rescaled(layer: GDSSMLayer) -> GDSSMLayer:
    """The same function with its scale moved between gate, query weight and readout."""
    with torch.no_grad():
        layer.input_gate.pair_weight.mul_(-0.3)
        layer.output_gate.query_weight.mul_(1.7)
        layer.readout.div_(-0.3 * 1.7)
        layer.skip.div_(1.7)
    return layer


def any_exact_layer() -> GDSSMLayer:
    """Every weight at random that the conditions leave free."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=generator)

    pair, decay, query = draw(3, 3), draw(F, F).sigmoid(), torch.zeros(3, dtype=torch.float64)
    pair[X, NEXT_X], pair[NEXT_X], decay[:D], query[NEXT_X] = 0.0, 0.0, 1.0, 1.3
    return GDSSMLayer(pair, decay, query, draw(F, F), draw(F, F))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("outputs", [1, K])
def test_it_is_one_literal_gradient_step_from_any_weight(length: int, outputs: int, dtype: torch.dtype) -> None:
    x, y, x_query = context(length, outputs=outputs, dtype=dtype)
    weight = initial_weight(D, outputs, dtype)
    steps = [reference.gradient_descent(*tensors, [0.3], weight) for tensors in zip(x, y, x_query, strict=True)]
    attention = linear_attention.one_step_from(weight, 0.3)
    assert_close(attend(attention, (x, y, x_query)), torch.stack(steps), "prediction")


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("outputs", [1, K])
def test_it_is_the_constructed_layer(length: int, outputs: int) -> None:
    data = context(length, queries=1, outputs=outputs)
    weight = initial_weight(D, outputs)
    from_zero = linear_attention.one_step(D, outputs, 0.3, torch.float64)
    assert_close(attend(from_zero, data), scan(one_step(D, outputs, 0.3, torch.float64), data), "from zero")
    from_weight = linear_attention.one_step_from(weight, 0.3)
    assert_close(attend(from_weight, data), scan(one_step_from(weight, 0.3), data), "from W₀")


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(
    "layer",
    [
        one_step(D, K, 0.3, torch.float64),
        one_step_from(initial_weight(), 0.3),
        rescaled(one_step_from(initial_weight(), 0.3)),
        any_exact_layer(),
    ],
    ids=["from zero", "from any weight", "with its scale moved", "any"],
)
def test_a_layer_is_its_attention(layer: GDSSMLayer, length: int) -> None:
    data = context(length, queries=1)
    assert_close(attend(from_layer(layer, D), data), scan(layer, data), "prediction")


def test_entries_that_the_prediction_does_not_read_are_arbitrary() -> None:
    layer = one_step(D, K, 0.3, torch.float64)
    with torch.no_grad():
        layer.decay[:, :D] = 0.5
        layer.decay[D:] = 0.1
        layer.input_gate.pair_weight[X, X] = 3.0
        layer.input_gate.pair_weight[X, NEXT_X] = 2.0
        layer.readout[:D] = 9.0
    data = context(queries=1)
    assert_close(attend(from_layer(layer, D), data), scan(layer, data), "prediction")


def test_a_nearly_exact_layer_is_nearly_its_attention() -> None:
    layer = one_step(D, K, 0.3, torch.float64)
    with torch.no_grad():
        layer.decay.mul_(0.999)
        layer.output_gate.query_weight[Y] = 0.001
        layer.input_gate.pair_weight[NEXT_X] = 0.001
    data = context(queries=1)
    assert_close(attend(from_layer(layer, D), data), scan(layer, data), "prediction", rtol=0.01)


def ask_for_the_last_x(layer: GDSSMLayer) -> None:
    layer.output_gate.query_weight[X] = 0.1


def multiply_with_the_next(layer: GDSSMLayer) -> None:
    layer.input_gate.pair_weight[NEXT_X, Y] = 0.1


def forget(layer: GDSSMLayer) -> None:
    layer.decay[0, -1] = 0.9


@pytest.mark.parametrize("break_it", [ask_for_the_last_x, multiply_with_the_next, forget])
def test_outside_the_conditions_predictions_differ(break_it: Callable[[GDSSMLayer], None]) -> None:
    layer = one_step(D, K, 0.3, torch.float64)
    with torch.no_grad():
        break_it(layer)
    data = context(queries=1)
    with pytest.raises(AssertionError, match="differs"):
        assert_close(attend(from_layer(layer, D), data), scan(layer, data), "prediction", rtol=0.001)


def test_padding_does_not_count() -> None:
    x, y, x_query = context()
    weight = ones(x)
    weight[:, 4:] = 0.0
    attention = linear_attention.one_step_from(initial_weight(), 0.3)
    alone = attend(attention, (x[:, :4], y[:, :4], x_query))
    assert_close(attention.predict(x, y, weight, x_query), alone, "prediction")


def test_predictions_without_observations_are_those_of_the_initial_weight() -> None:
    x, y, x_query = context()
    attention = linear_attention.one_step_from(initial_weight(), 0.3)
    assert attend(attention, (x[:, :0], y[:, :0], x_query)).shape == (B, M, K)
    assert_close(attend(attention, (x[:, :0], y[:, :0], x_query)), x_query @ initial_weight(), "prediction")


def test_dividing_by_anything_but_the_observations_is_another_model() -> None:
    data = context(queries=1)
    attention = linear_attention.one_step(D, K, 0.3, torch.float64)
    with pytest.raises(AssertionError, match="differs"):
        assert_close(attend(attention, data) * N / F, scan(one_step(D, K, 0.3, torch.float64), data), "prediction")
