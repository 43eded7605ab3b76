"""The trainable stack: its readings agree with each other, and constructed it is gradient descent."""

import pytest
import torch

from gdssm import reference
from gdssm.construction import one_step, steps
from gdssm.parameter_alignment import parameter_alignment
from gdssm.stack import GDSSM, StackConfig
from gdssm.tokens import interleave
from gdssm.window import slide
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, N, context, ones
from tests.nonempty import nonempty

CONFIGS = [
    StackConfig(D, K),
    StackConfig(D, K, layers=3),
    StackConfig(D, K, layers=2, feature_widths=(11, 7)),
    StackConfig(D, K, layers=2, feature_widths=(11, 7), head_width=6),
]


def drawn(config: StackConfig) -> GDSSM:
    torch.manual_seed(0)
    return GDSSM(config).double()


@pytest.mark.parametrize("config", CONFIGS)
def test_the_last_position_of_the_sequence_is_the_prediction_without_states(config: StackConfig) -> None:
    stack, (x, y, x_query) = drawn(config), context(queries=1)
    assert_close(stack(x, y, x_query), stack.sequence(x, y, x_query)[:, -1:], "prediction")


@pytest.mark.parametrize("config", CONFIGS)
def test_every_position_is_the_prediction_from_the_pairs_before_it(config: StackConfig) -> None:
    stack, (x, y, x_query) = drawn(config), context(queries=1)
    following = torch.cat([x[:, 1:], x_query], dim=1)
    predictions = stack.sequence(x, y, x_query)
    for i in range(1, N + 1):
        expected = stack(x[:, :i], y[:, :i], following[:, i - 1 : i])
        assert_close(predictions[:, i - 1 : i], expected, f"prediction after {i} pairs")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("layers", [1, 2, 5, 16])
@pytest.mark.parametrize("length", [1, 7, 1000])
@pytest.mark.parametrize("outputs", [1, K])
def test_constructed_it_takes_a_literal_step_a_layer(
    layers: int, length: int, outputs: int, dtype: torch.dtype
) -> None:
    x, y, x_query = context(length, queries=1, outputs=outputs, dtype=dtype)
    rates = [0.02 + 0.01 * k for k in range(layers)]
    zero = torch.zeros(D, outputs, dtype=dtype)
    contexts = zip(x, y, x_query, strict=True)
    expected = torch.stack([reference.gradient_descent(*tensors, rates, zero) for tensors in contexts])
    assert_close(steps(D, outputs, rates, dtype)(x, y, x_query), expected, "prediction")


def test_one_layer_of_it_is_the_layer() -> None:
    x, y, x_query = context(queries=1)
    layer = one_step(D, K, 0.3, torch.float64)
    outputs, _ = layer.scan(slide(interleave(x, y, x_query)), ones(x), layer.empty_state(B))
    assert_close(steps(D, K, [0.3], torch.float64)(x, y, x_query), outputs[:, -1:, D:], "prediction")


@pytest.mark.parametrize("config", CONFIGS)
def test_every_weight_learns(config: StackConfig) -> None:
    stack, (x, y, x_query) = drawn(config), context(queries=1)
    torch.autograd.backward(stack(x, y, x_query).square().sum())
    for name, parameter in nonempty(stack.named_parameters()):
        if parameter.numel():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name


def test_it_has_as_many_weights_as_its_docstring_says() -> None:
    features = D + K
    for layers in (1, 3):
        expected = 9 + features**2 + 3 + layers * features * K + (layers - 1) * features**2
        assert sum(weight.numel() for weight in GDSSM(StackConfig(D, K, layers)).parameters()) == expected


def test_the_construction_matches_itself_whatever_its_scale() -> None:
    stack = steps(D, K, [0.3])
    with torch.no_grad():
        stack.input_gate.pair_weight.copy_(-7 * torch.eye(3)[:, [1, 0, 2]] * torch.tensor([[1.0], [0], [0]]))
        stack.output_gate.query_weight.mul_(-2)
        stack.gain.div_(14)
    found = parameter_alignment(stack)
    assert found.input_gate_rest == 0
    assert found.output_gate_rest == 0
    assert found.least_decay == 1
    assert found.learning_rate == pytest.approx(0.3)
    assert found.learning_rate_spread == pytest.approx(0, abs=1e-6)


def test_a_stack_that_is_not_the_construction_does_not_match() -> None:
    found = parameter_alignment(drawn(StackConfig(D, K)))
    assert found.input_gate_rest > 0.1
    assert found.output_gate_rest > 0.1
    assert found.learning_rate_spread > 0.1
