import torch

from gdssm import reference
from gdssm.layer import GDSSMLayer, State
from gdssm.tokens import interleave
from gdssm.window import slide
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, N, context, ones
from tests.nonempty import nonempty

F = D + K


def any_layer() -> GDSSMLayer:
    """A layer with every weight drawn at random, as training would start from."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=generator)

    return GDSSMLayer(draw(3, 3), draw(F, F).sigmoid(), draw(3), draw(F, F), draw(F, F))


def weights(layer: GDSSMLayer) -> tuple[torch.Tensor, ...]:
    named = layer.input_gate.pair_weight, layer.decay, layer.output_gate.query_weight, layer.readout, layer.skip
    return tuple(parameter.detach() for parameter in named)


def windows() -> torch.Tensor:
    return slide(interleave(*context(queries=1)))


def test_the_layer_is_its_equations() -> None:
    layer, window = any_layer(), windows()
    output, _ = layer.scan(window, ones(window), layer.empty_state(B))
    gate, decay, query_weight, readout, skip = weights(layer)
    for b in range(B):
        state = torch.zeros(F, F, dtype=torch.float64)
        for i in range(N):
            x = window[b, i]
            state = decay * state + x.T @ gate @ x
            query = x.T @ query_weight
            literal = readout @ state.T @ query / (i + 1) + skip @ query
            assert_close(output[b, i], literal, f"output {i} of context {b}")


def test_scan_and_step_agree_from_any_state() -> None:
    layer, window = any_layer(), windows()
    weight = torch.rand(B, N, dtype=torch.float64) + 0.5
    state = State(torch.ones(B, dtype=torch.float64), torch.randn(B, F, F, dtype=torch.float64))
    outputs, states = layer.scan(window, weight, state)
    for i in range(N):
        output, state = layer.step(window[:, i], weight[:, i], state)
        assert_close(outputs[:, i], output, f"output {i}")
        for name, whole, single in zip(State._fields, states, state, strict=True):
            assert_close(whole[:, i], single, f"{name} {i}")


def test_the_scan_is_the_plain_loop() -> None:
    layer, window = any_layer(), windows()
    _, states = layer.scan(window, ones(window), layer.empty_state(B))
    update = layer.input_gate(window)
    literal = reference.recurrence(layer.decay.expand_as(update), update, torch.zeros_like(update[:, 0]))
    assert_close(states.gated_sum, literal, "states")


def test_padding_leaves_no_trace_even_where_the_state_decays() -> None:
    layer, window = any_layer(), windows()
    padded = torch.cat([window[:, :3], torch.full_like(window[:, :2], 9.0), window[:, 3:]], dim=1)
    weight = torch.ones(B, N + 2, dtype=torch.float64)
    weight[:, 3:5] = 0.0
    _, plain = layer.scan(window, ones(window), layer.empty_state(B))
    _, with_padding = layer.scan(padded, weight, layer.empty_state(B))
    for name, a, b in zip(State._fields, with_padding, plain, strict=True):
        assert_close(a[:, -1], b[:, -1], name)


def test_with_forgetting_the_order_matters() -> None:
    layer, window = any_layer(), windows()
    _, forward = layer.scan(window, ones(window), layer.empty_state(B))
    _, backward = layer.scan(window.flip(1), ones(window), layer.empty_state(B))
    difference = (forward.gated_sum[:, -1] - backward.gated_sum[:, -1]).abs().max()
    assert difference > 0.1


def test_every_weight_learns() -> None:
    layer, window = any_layer(), windows()
    output, _ = layer.scan(window, ones(window), layer.empty_state(B))
    torch.autograd.backward(output.square().sum())
    for name, parameter in nonempty(layer.named_parameters()):
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name
