"""The layer and the stack as parts of other programs: transforms of torch, precision, memory, compilation."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from gdssm.decayed_gram import products_by_definition
from gdssm.layer import GDSSMLayer
from gdssm.stack import GDSSM, StackConfig
from gdssm.tokens import interleave
from gdssm.window import slide
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, M, context, ones
from tests.gdssm.test_layer import any_layer
from tests.gdssm.test_stack import CONFIGS, drawn
from tests.nonempty import nonempty

SINGLE = StackConfig(D, 1, layers=2)
WEIGHTS = [StackConfig(D, 1), SINGLE, StackConfig(D, K), StackConfig(D, 1, layers=2, feature_widths=(4, 3))]


def weights(stack: GDSSM) -> dict[str, Tensor]:
    return {name: parameter for name, parameter in stack.named_parameters() if parameter.numel()}


def test_the_layer_is_called_with_tokens() -> None:
    layer, tokens = any_layer(), interleave(*context(queries=1))
    window = slide(tokens)
    expected, _ = layer.scan(window, ones(window), layer.empty_state(B))
    assert_close(layer(tokens), expected, "output")


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("queries", [0, 1, M])
def test_forward_takes_any_number_of_queries(config: StackConfig, queries: int) -> None:
    stack, (x, y, x_query) = drawn(config), context()
    together = stack(x, y, x_query[:, :queries])
    assert together.shape == (B, queries, K)
    one_by_one = [stack(x, y, x_query[:, m : m + 1]) for m in range(queries)]
    assert_close(together, torch.cat([y[:, :0], *one_by_one], dim=1), "predictions")


@pytest.mark.parametrize("config", WEIGHTS)
def test_jacrev_and_vmap_agree_with_automatic_differentiation(config: StackConfig) -> None:
    stack, (x, y, x_query) = drawn(config), context(queries=1, outputs=config.outputs)
    parameters = weights(stack)

    def predict(parameters: dict[str, Tensor], x: Tensor, y: Tensor, x_query: Tensor) -> Tensor:
        prediction: Tensor = functional_call(stack, parameters, (x, y, x_query))
        return prediction

    expected = predict(parameters, x, y, x_query)
    jacobian = jacrev(predict)(parameters, x, y, x_query)
    for name, parameter in nonempty(parameters.items()):
        (gradient,) = torch.autograd.grad(expected[1, 0, 0], parameter, retain_graph=True)
        assert_close(jacobian[name][1, 0, 0], gradient, f"Jacobian by {name}")
    by_context = vmap(lambda *one: predict(parameters, *(part[None] for part in one))[0])(x, y, x_query)
    assert_close(by_context, expected, "one context at a time")
    ensemble = {name: torch.stack([2 * parameter, parameter]) for name, parameter in parameters.items()}
    assert_close(vmap(lambda own: predict(own, x, y, x_query))(ensemble)[1], expected, "ensemble")


@pytest.mark.parametrize("config", WEIGHTS)
def test_gradients_can_be_differentiated(config: StackConfig) -> None:
    stack, data = drawn(config), context(queries=1, outputs=config.outputs)
    parameters = weights(stack)

    def predict(*tensors: Tensor) -> Tensor:
        own = dict(zip(parameters, tensors, strict=False))
        prediction: Tensor = functional_call(stack, own, tensors[len(parameters) :])
        return prediction

    tensors = [tensor.detach().clone().requires_grad_() for tensor in (*parameters.values(), *data)]
    assert torch.autograd.gradgradcheck(predict, tensors, fast_mode=True)


def test_products_are_their_definition() -> None:
    generator = torch.Generator().manual_seed(0)
    decays, right, vector, left = (
        torch.randn(*shape, dtype=torch.float64, generator=generator)
        for shape in ((7, 4, 3), (5, 3, 2), (3, 2), (8, 4, 2))
    )
    literal = torch.zeros(2, 3, 4, 2, dtype=torch.float64)
    for a in range(2):
        for c in range(3):
            for j in range(5):
                literal[a, c] += left[j + a + c] * (decays[j + c] @ (right[j] * vector))
    assert_close(products_by_definition(decays, right, vector, left), literal, "products")


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_a_sequence_in_chunks_has_the_same_predictions_and_gradients(chunk: int) -> None:
    stack, data = drawn(CONFIGS[1]), context(queries=1)
    whole, cut = stack, copy.deepcopy(stack)
    expected, found = whole.sequence(*data), cut.sequence(*data, chunk=chunk)
    assert_close(found, expected, "predictions")
    for prediction in (expected, found):
        torch.autograd.backward(prediction.square().sum())
    for (name, ours), theirs in nonempty(zip(cut.named_parameters(), whole.parameters(), strict=True)):
        assert ours.grad is not None
        assert theirs.grad is not None
        assert_close(ours.grad, theirs.grad, name)


def test_memory_of_a_sequence_does_not_grow_with_the_square_of_its_features_times_its_length() -> None:
    stack, length, chunk = GDSSM(StackConfig(31, 1)), 4096, 64
    x, y, x_query = (torch.randn(1, n, d) for n, d in ((length, 31), (length, 1), (1, 31)))
    sizes: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        stack.sequence(x, y, x_query, chunk=chunk)
    states = length * 32 * 32
    assert max(sizes) < states / 4
    assert len(sizes) > 0


def test_in_bfloat16_count_and_state_are_float32() -> None:
    layer = GDSSMLayer(
        torch.zeros(3, 3).index_put_((torch.tensor(0), torch.tensor(1)), torch.tensor(1.0)),
        torch.ones(2, 2),
        torch.tensor([0.0, 0.0, 1.0]),
        torch.eye(2),
        torch.zeros(2, 2),
    ).bfloat16()
    state = layer.empty_state(1)
    window = torch.tensor([[[1.0, 0.0], [0.0, 0.5], [1.0, 0.0]]], dtype=torch.bfloat16)
    for _ in range(1000):
        output, state = layer.step(window, torch.ones(1, dtype=torch.bfloat16), state)
    assert (state.count.dtype, state.gated_sum.dtype, output.dtype) == (torch.float32, torch.float32, torch.bfloat16)
    assert state.count.item() == 1000
    assert output[0, 1].item() == 0.5
    long = window.expand(1000, 3, 2)[None]
    outputs, states = layer.scan(long, torch.ones(1, 1000, dtype=torch.bfloat16), layer.empty_state(1))
    assert states.count[0, -1].item() == 1000
    assert outputs[0, -1, 1].item() == 0.5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # torch does so itself
@pytest.mark.parametrize("config", [SINGLE, CONFIGS[1]], ids=["one output", "several outputs"])
def test_it_compiles_to_one_graph(config: StackConfig) -> None:
    stack, data = drawn(config), context(queries=1, outputs=config.outputs)
    expected = stack(*data)
    torch._dynamo.reset()
    compiled = torch.compile(stack, fullgraph=True, backend="aot_eager")
    found = compiled(*data)
    assert_close(found, expected, "predictions")
    gradients = [torch.autograd.grad(prediction.sum(), stack.gain)[0] for prediction in (found, expected)]
    assert_close(gradients[0], gradients[1], "gradient")


@pytest.mark.slow
def test_the_layer_compiles_to_one_graph() -> None:
    layer, tokens = any_layer(), interleave(*context(queries=1))
    torch._dynamo.reset()
    assert_close(torch.compile(layer, fullgraph=True, backend="aot_eager")(tokens), layer(tokens), "output")


def test_decays_are_marked_as_free_of_weight_decay() -> None:
    marked = {name for name, weight in GDSSM(SINGLE).named_parameters() if getattr(weight, "_no_weight_decay", False)}
    assert marked == {"decay_logit"}
    assert isinstance(any_layer().decay, nn.Parameter)
    assert getattr(any_layer().decay, "_no_weight_decay", False)
