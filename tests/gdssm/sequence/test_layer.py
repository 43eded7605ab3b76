"""The layer and the language model: causal, the same in chunks and one by one, packed as alone, exact in bfloat16."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gdssm.sequence.language_model import LanguageModel
from gdssm.sequence.layer import LayerState, SequenceConfig, SequenceLayer
from tests.closeness import assert_close
from tests.nonempty import nonempty

B, T, H, V = 2, 23, 12, 17
CONFIGS = [
    SequenceConfig(H, heads=1, window=1, steps=1, chunk=64),
    SequenceConfig(H, heads=2, window=3, steps=3, chunk=5, key_width=5),
    SequenceConfig(H, heads=3, window=4, steps=2, diagonal=True, chunk=8),
]


def model(config: SequenceConfig) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(V, 2, config)


def tokens(length: int = T) -> Tensor:
    return torch.randint(V, (B, length), generator=torch.Generator().manual_seed(length))


def positions(dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(B, T, H, generator=torch.Generator().manual_seed(1)).to(dtype)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("cuts", [[1] * T, [7, 16], [22, 1]], ids=str)
def test_any_parts_of_a_sequence_are_the_whole(config: SequenceConfig, cuts: list[int]) -> None:
    network, found = model(config), []
    state = network.empty_state(B)
    for part in torch.split(tokens(), cuts, 1):
        logits, state = network.scan(part, state)
        found.append(logits)
    assert_close(torch.cat(found, 1), network(tokens()), "logits", rtol=1e-5)


@pytest.mark.slow
@given(
    position=st.integers(0, T - 1),
    steps=st.integers(1, 4),
    window=st.integers(1, 5),
    chunk=st.sampled_from([1, 4, 64]),
    diagonal=st.booleans(),
)
def test_no_position_sees_a_later_one(position: int, steps: int, window: int, chunk: int, diagonal: bool) -> None:
    network = model(SequenceConfig(H, 2, window, steps, diagonal, chunk)).double()
    before, changed = tokens(), tokens()
    changed[:, position:] = (changed[:, position:] + 1) % V
    ours, theirs = network(changed), network(before)
    assert_close(ours[:, :position], theirs[:, :position], "earlier logits")
    assert (ours[:, position] != theirs[:, position]).any()


@pytest.mark.parametrize("config", CONFIGS)
def test_packed_sequences_are_each_alone(config: SequenceConfig) -> None:
    network, sequence = model(config).double(), tokens()
    segments = torch.tensor([[1] * 9 + [2] * 14, [5] * 4 + [0] * 3 + [5] * 16])
    packed = network(sequence, segments)
    for row, parts in enumerate(((slice(0, 9), slice(9, T)), (slice(0, 4), slice(7, T)))):
        for part in parts:
            assert_close(packed[row, part], network(sequence[row : row + 1, part])[0], f"row {row}, {part}")


@pytest.mark.parametrize("config", CONFIGS)
def test_padding_on_the_left_leaves_the_state_of_the_sequence(config: SequenceConfig) -> None:
    network, sequence = model(config).double(), tokens(6)
    padded = torch.cat([tokens(4), sequence], 1)
    segments = torch.tensor([[0] * 4 + [1] * 6] * B)
    logits, state = network.scan(padded, network.empty_state(B), segments)
    alone, own = network.scan(sequence, network.empty_state(B))
    assert_close(logits[:, 4:], alone, "logits")
    further = [network.scan(tokens(1), before)[0] for before in (state, own)]
    assert_close(further[0], further[1], "next logits")


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("length", [0, 1, 6])
def test_positions_of_weight_zero_leave_the_state_unchanged(config: SequenceConfig, length: int) -> None:
    torch.manual_seed(0)
    layer, whole = SequenceLayer(config).double(), positions(torch.float64)
    _, before = layer.scan(whole[:, :8], layer.empty_state(B))
    weight = torch.cat([torch.ones(B, length), torch.zeros(B, 9)], 1).double()
    output, found = layer.scan(whole[:, 8 : 17 + length], before, weight=weight)
    expected, wanted = layer.scan(whole[:, 8 : 8 + length], before) if length else (output[:, :0], before)
    assert_close(output[:, :length], expected, "output")
    for name, ours, theirs in zip(("G", "R", "window", "diagonal"), _tensors(found), _tensors(wanted), strict=True):
        assert_close(ours, theirs, name)


def _tensors(state: LayerState) -> tuple[Tensor, ...]:
    return *state.moments, state.window, state.diagonal


def test_every_weight_has_a_gradient() -> None:
    network = model(CONFIGS[-1])
    torch.autograd.backward(network(tokens()).square().sum())
    for name, weight in nonempty(network.named_parameters()):
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        assert weight.grad.any(), name


def test_in_bfloat16_the_state_is_float32() -> None:
    layer = SequenceLayer(CONFIGS[-1]).bfloat16()
    output, state = layer.scan(positions(torch.bfloat16), layer.empty_state(B))
    assert output.dtype == torch.bfloat16
    assert {part.dtype for part in (*state.moments, state.window, state.diagonal)} == {torch.float32}


def test_autocast_leaves_sums_in_float32() -> None:
    layer = SequenceLayer(CONFIGS[1])
    _, expected = layer.scan(positions(), layer.empty_state(B))
    with torch.autocast("cpu", torch.bfloat16):
        _, state = layer.scan(positions(), layer.empty_state(B))
    assert state.moments.gram.dtype == torch.float32
    assert_close(state.moments.gram, expected.moments.gram, "G", rtol=0.02)


def test_memory_holds_no_state_of_every_position() -> None:
    length, chunk = 512, 32
    layer = SequenceLayer(SequenceConfig(64, 1, steps=2, chunk=chunk))
    sizes: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        layer(torch.randn(1, length, 64))
    assert 0 < max(sizes) <= length * 3 * 64


@pytest.mark.parametrize(
    ("width", "heads", "key_width", "keys"), [(12, 2, 0, 12), (32, 8, 0, 16), (48, 2, 0, 24), (32, 8, 5, 5)]
)
def test_keys_have_sixteen_features_or_those_of_a_value(width: int, heads: int, key_width: int, keys: int) -> None:
    layer = SequenceLayer(SequenceConfig(width, heads, key_width=key_width))
    moments = layer.empty_state(B).moments
    assert moments.gram.shape == (B, heads, keys, keys)
    assert moments.cross.shape == (B, heads, keys, width // heads)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 5}, "multiple"),
        ({"steps": 0}, "1 or more"),
        ({"window": 0}, "1 or more"),
        ({"key_width": -1}, "key_width 0 or more"),
    ],
)
def test_impossible_sizes_are_named(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SequenceConfig(H, **options)  # type: ignore[arg-type]  # options are sizes
