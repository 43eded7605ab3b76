"""The length of a block on a processor and on a card, and results that do not depend on it."""

import pytest
import torch

from gdssm import blocks, decayed_gram
from gdssm.blocks import MEMORY_SHARE, TENSORS, block_length
from gdssm.stack import GDSSM, StackConfig
from tests.closeness import assert_close
from tests.gdssm.contexts import context
from tests.gdssm.test_stack import drawn
from tests.nonempty import nonempty

CPU, CARD = torch.device("cpu"), torch.device("cuda", 0)
LARGE = 2 * 129 * 512
"""Entries at one position for D = 128, one output and a batch of 512."""


@pytest.mark.parametrize("entries", [0, 1, 100, 2**18 - 1, 2**18, 2**18 + 1, LARGE])
def test_on_a_processor_a_block_has_as_many_entries_as_its_cache_keeps(entries: int) -> None:
    assert block_length(CPU, entries, 4) == max(1, 262_144 // max(1, entries))


@pytest.mark.parametrize("entry_bytes", [2, 4, 8])
@pytest.mark.parametrize("free", [2**20, 2**30, 100 * 2**30])
def test_on_a_card_its_tensors_take_a_share_of_the_free_memory(
    monkeypatch: pytest.MonkeyPatch, free: int, entry_bytes: int
) -> None:
    monkeypatch.setattr(blocks, "free_memory", lambda _: free)
    length = block_length(CARD, LARGE, entry_bytes)
    position = TENSORS * entry_bytes * LARGE
    assert length == 1 or length * position <= MEMORY_SHARE * free
    assert (length + 1) * position > MEMORY_SHARE * free


def test_on_a_card_of_100_gb_the_large_step_is_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "free_memory", lambda _: 100 * 10**9)
    assert block_length(CARD, LARGE, 4) > 1001
    assert block_length(CPU, LARGE, 4) == 1


@pytest.mark.parametrize("config", [StackConfig(4, 1), StackConfig(4, 1, layers=3), StackConfig(4, 3, layers=2)])
@pytest.mark.parametrize("length", [1, 2, 5, 13, 10_000])
def test_prediction_and_gradients_do_not_depend_on_the_block(
    monkeypatch: pytest.MonkeyPatch, config: StackConfig, length: int
) -> None:
    data = context(12, queries=1, inputs=config.inputs, outputs=config.outputs)

    def evaluate(stack: GDSSM) -> list[torch.Tensor]:
        prediction = stack(*data)
        weights = [weight for weight in stack.parameters() if weight.numel()]
        return [prediction, *torch.autograd.grad(prediction.square().sum(), weights)]

    expected = evaluate(drawn(config))
    monkeypatch.setattr(decayed_gram, "block_length", lambda *_: length)
    for name, (found, wanted) in enumerate(nonempty(zip(evaluate(drawn(config)), expected, strict=True))):
        assert_close(found, wanted, f"prediction or gradient {name}", rtol=1e-10)
