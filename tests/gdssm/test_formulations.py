"""Each formulation, with the weights of the construction, is one gradient step; each ablation is not."""

import pytest
import torch

from gdssm import reference
from gdssm.ablations import ABLATIONS, WithoutInputGate, WithoutOutputGate, WithoutWindow
from gdssm.construction import CERTAIN, place, steps
from gdssm.formulations import ConstructedTokens, GatedInput, gated
from gdssm.stack import StackConfig
from gdssm.window import NEXT_X, X, Y
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, context
from tests.nonempty import nonempty


def literal(x: torch.Tensor, y: torch.Tensor, x_query: torch.Tensor, learning_rate: float) -> torch.Tensor:
    zero = torch.zeros(x.shape[-1], y.shape[-1], dtype=x.dtype)
    contexts = zip(x, y, x_query, strict=True)
    return torch.stack([reference.gradient_descent(*tensors, [learning_rate], zero) for tensors in contexts])


def test_input_and_output_gating_takes_the_step_of_one_layer() -> None:
    x, y, x_query = context(queries=1)
    stack, constructed = gated(StackConfig(D, K)).double(), steps(D, K, [0.3], torch.float64)
    gate = stack.input_gate
    assert isinstance(gate, GatedInput)
    with torch.no_grad():
        gate.left.copy_(place(X))
        gate.right.copy_(place(Y))
        stack.decay_logit.fill_(CERTAIN)
        stack.output_gate.query_weight.copy_(place(NEXT_X))
        stack.gain.copy_(constructed.gain)
    assert_close(stack(x, y, x_query), literal(x, y, x_query, 0.3), "prediction")


def test_constructed_tokens_take_the_step_for_scalar_y() -> None:
    x, y, x_query = context(queries=1, outputs=1)
    layer = ConstructedTokens(D).double()
    identity, zero = torch.eye(D, dtype=x.dtype), torch.zeros(D, D, dtype=x.dtype)
    with torch.no_grad():
        layer.input_gate.copy_(torch.cat([identity, zero], 1))
        layer.decay_logit.fill_(CERTAIN)
        layer.output_gate.copy_(torch.cat([zero, identity], 1))
        layer.readout.copy_(0.3 * identity)
    assert_close(layer(x, y, x_query), literal(x, y, x_query, 0.3), "prediction")


@pytest.mark.parametrize("make", [*ABLATIONS.values(), gated], ids=[*ABLATIONS, "gated"])
def test_every_variation_learns(make) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    torch.manual_seed(0)
    stack, (x, y, x_query) = make(StackConfig(D, K, layers=2)).double(), context(queries=1)
    prediction = stack(x, y, x_query)
    assert prediction.shape == (B, 1, K)
    torch.autograd.backward(prediction.square().sum())
    for name, parameter in nonempty(stack.named_parameters()):
        if parameter.requires_grad and name != "output_gate.query_weight":
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name


def sensitivity(stack: torch.nn.Module, y_too: bool) -> torch.Tensor:
    """How much the prediction moves with the query, or with one y."""
    x, y, x_query = context(queries=1)
    moved = (x, y + 1.0 * (torch.arange(y.shape[1]) == 3)[:, None], x_query) if y_too else (x, y, x_query + 1.0)
    difference: torch.Tensor = stack(*moved) - stack(x, y, x_query)
    return difference.abs().max()


def test_without_output_gate_the_state_does_not_depend_on_the_query() -> None:
    torch.manual_seed(0)
    stack = WithoutOutputGate(StackConfig(D, K)).double()
    with torch.no_grad():
        stack.input_gate.pair_weight[NEXT_X] = 0
        stack.input_gate.pair_weight[:, NEXT_X] = 0
    assert sensitivity(stack, y_too=False) == 0
    assert sensitivity(stack, y_too=True) > 0


def test_without_its_input_gate_it_is_additive_in_the_observations() -> None:
    torch.manual_seed(0)
    stack, (x, y, x_query) = WithoutInputGate(StackConfig(D, K)).double(), context(queries=1)
    with torch.no_grad():
        stack.output_gate.query_weight.copy_(place(NEXT_X))
    both, neither = stack(2 * x, 2 * y, x_query), stack(0 * x, 0 * y, x_query)
    assert_close(stack(x, y, x_query), (both + neither) / 2, "prediction")


def test_without_window_pairs_of_x_and_y_do_not_matter() -> None:
    torch.manual_seed(0)
    stack, (x, y, x_query) = WithoutWindow(StackConfig(D, K)).double(), context(queries=1)
    with torch.no_grad():
        stack.decay_logit.fill_(CERTAIN)
    shuffled = y[:, torch.arange(y.shape[1]).flip(0)]
    assert_close(stack(x, shuffled, x_query), stack(x, y, x_query), "prediction")
