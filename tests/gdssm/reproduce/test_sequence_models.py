"""The compared models of sequences are the published ones, and none sees a later position."""

import pytest
import torch
from torch import Tensor, nn

from gdssm.reproduce.experiments import characters, digits, recall
from gdssm.reproduce.sequence_models import OTHERS, Attention, GatedDeltaRule, LinearAttentionMixer, build, fit, layer
from tests.closeness import assert_close
from tests.nonempty import nonempty

B, A, T, D = 2, 2, 7, 4
H = A * D


def drawn() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(B, A, T, D, dtype=torch.float64, generator=generator) for _ in range(3))
    return query, key, value, torch.randn(B, T, H, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("name", OTHERS)
def test_no_position_sees_a_later_one(name: str) -> None:
    torch.manual_seed(0)
    mixer, positions = OTHERS[name](H).double(), drawn()[-1]
    changed = positions.clone()
    changed[:, 4:] += 1.0
    assert_close(mixer(changed)[:, :4], mixer(positions)[:, :4], "earlier positions")
    assert (mixer(changed)[:, 4] != mixer(positions)[:, 4]).any()


def test_the_gated_delta_rule_is_its_recurrence() -> None:
    query, key, value, positions = drawn()
    mixer = GatedDeltaRule(H, A).double()
    found = mixer.mix(query, key, value, positions)
    strength, decay = mixer.write(positions).sigmoid().mT.chunk(2, 1)
    query, key = (nn.functional.normalize(part, dim=-1) for part in (query, key))
    state, outputs = torch.zeros(B, A, D, D, dtype=torch.float64), []
    for t in range(T):
        faded, k = decay[:, :, t, None, None] * state, key[:, :, t, :, None]
        state = faded + strength[:, :, t, None, None] * (value[:, :, t, :, None] - faded @ k) @ k.mT
        outputs.append((state @ query[:, :, t, :, None])[..., 0])
    assert_close(found, mixer.norm(torch.stack(outputs, 2)), "output", rtol=1e-10)


def test_linear_attention_is_its_recurrence() -> None:
    query, key, value, positions = drawn()
    found = LinearAttentionMixer(H, A).double().mix(query, key, value, positions)
    query, key = (nn.functional.elu(part) + 1.0 for part in (query, key))
    total = (key[..., :, None] * value[..., None, :]).cumsum(2)
    expected = (query[..., None, :] @ total)[..., 0, :] / (query * key.cumsum(2)).sum(-1, keepdim=True)
    assert_close(found, expected, "output", rtol=1e-10)


def test_softmax_attention_knows_distances_and_no_places() -> None:
    query, key, _, positions = drawn()
    mixer = Attention(H, A).double()
    later = [torch.cat([part[:, :, :1].expand(B, A, 3, D), part], 2) for part in (query, key)]
    scores = [
        mixer.mix(q, k, torch.eye(q.shape[2], dtype=torch.float64).expand(B, A, -1, -1), positions)
        for q, k in ((query, key), later)
    ]
    ratio = [score[:, :, -1, -1] / score[:, :, -1, -4] for score in scores]
    assert_close(ratio[0], ratio[1], "ratio of two weights", rtol=1e-5)


def test_recall_asks_for_every_key_once() -> None:
    tokens, labels = recall.draw_batch(torch.Generator().manual_seed(0), 5)
    for row, answers in nonempty(zip(tokens, labels, strict=True)):
        pairs = dict(row[: 2 * recall.PAIRS].view(-1, 2).tolist())
        asked = row[2 * recall.PAIRS :].tolist()
        assert sorted(asked) == sorted(pairs)
        assert [pairs[key] for key in asked] == answers.tolist()


def test_digits_are_read_in_one_order() -> None:
    rows, labels = digits.images()
    assert rows.shape == (1797, 8, 8)
    assert rows.max() == 1.0
    assert torch.equal(labels, digits.images()[1])


def test_pieces_of_text_are_labelled_by_the_next_character() -> None:
    train, test = characters.texts()
    assert len(train) > 8 * len(test) > 0
    assert train.max() < characters.VOCABULARY
    tokens, labels = characters.draw_from(train)(torch.Generator().manual_seed(0))
    assert torch.equal(tokens[:, 1:], labels[:, :-1])


@pytest.mark.parametrize("name", characters.MIXERS)
def test_models_of_characters_have_equally_many_weights(name: str) -> None:
    weights = sum(weight.numel() for weight in characters.model_of(name).parameters())
    assert weights == pytest.approx(characters.WEIGHTS, rel=0.005), "any two are within 1 %"


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 4])
def test_the_layer_learns_to_recall(steps: int) -> None:
    torch.manual_seed(0)
    model = build(layer(steps=steps), nn.Embedding(recall.VOCABULARY, 32), 32, 1, recall.VOCABULARY)
    for _ in fit(model, recall.draw_batch, lambda output: output[:, -recall.PAIRS :], rate=0.03, steps=80, seed=0):
        pass
    tokens, labels = recall.draw_batch(torch.Generator().manual_seed(1), 128)
    with torch.no_grad():
        accuracy = (model(tokens)[:, -recall.PAIRS :].argmax(-1) == labels).double().mean()
    assert accuracy > 0.9
