"""The fading sum without a state, against the state of the literal loop, forward and backward."""

import pytest
import torch
from torch import Tensor

from gdssm import blocks, reference
from gdssm.decayed_gram import DecayedGramOperator, decay_powers
from gdssm.tokens import interleave
from gdssm.window import slide
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, N, context


def inputs(length: int = N, vectors: int = B) -> list[Tensor]:
    """Everything that a sum depends on: decay_logit, pair_weight, x, y, x_query, and a vector each or one for all."""
    torch.manual_seed(0)
    weights = [torch.randn(size, dtype=torch.float64) for size in ((D + K, D + K), (3, 3))]
    return [*weights, *context(length, queries=1), torch.randn(D + K, vectors, dtype=torch.float64)]


def without_state(*tensors: Tensor) -> Tensor:
    *sequence, vector = tensors
    return DecayedGramOperator(*sequence)(vector)


def literal(*tensors: Tensor) -> Tensor:
    decay_logit, pair_weight, x, y, x_query, vector = tensors
    window = slide(interleave(x, y, x_query))
    update = window.mT @ pair_weight @ window
    decay = decay_logit.sigmoid().expand_as(update)
    state = reference.recurrence(decay, update, torch.zeros_like(update[:, 0]))[:, -1]
    return (state @ vector.mT[..., None])[..., 0].mT


@pytest.fixture(params=[1, 100, blocks.CACHED_ENTRIES], autouse=True)
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One position at a time, a few, or all at once."""
    monkeypatch.setattr(blocks, "CACHED_ENTRIES", request.param)


@pytest.mark.parametrize("vectors", [1, B])
@pytest.mark.parametrize("length", [1, 2, N])
def test_it_is_the_last_state_times_the_vector(length: int, vectors: int) -> None:
    assert_close(without_state(*inputs(length, vectors)), literal(*inputs(length, vectors)), "Z v")


def test_transposed_it_is_the_transposed_state() -> None:
    decay_logit, pair_weight, *sequence, _ = inputs()
    unit = torch.eye(D + K, dtype=torch.float64)
    state, transposed = (
        torch.stack([without_state(*gates, *sequence, column[:, None]) for column in unit], dim=1)
        for gates in ((decay_logit, pair_weight), (decay_logit.mT, pair_weight.mT))
    )
    assert_close(transposed, state.transpose(0, 1), "Zᵀ")


@pytest.mark.parametrize("vectors", [1, B])
@pytest.mark.parametrize("length", [1, N])
def test_its_gradient_is_the_literal_one_in_everything_that_it_depends_on(length: int, vectors: int) -> None:
    found, expected = (
        torch.autograd.grad(form(*tensors).square().sum(), tensors)
        for form in (without_state, literal)
        for tensors in [[tensor.requires_grad_() for tensor in inputs(length, vectors)]]
    )
    names = ("decay_logit", "pair_weight", "x", "y", "x_query", "vector")
    for name, ours, theirs in zip(names, found, expected, strict=True):
        assert_close(ours, theirs, f"gradient of {name}")


def test_a_decay_of_one_is_exact_over_long_sequences() -> None:
    assert_close(decay_powers(torch.full((D, K), 40.0), 10_000), torch.ones(10_000, D, K), "Λ^age")
