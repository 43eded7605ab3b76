"""Sums without windows equal the sums of the gated products of all windows."""

import torch

from gdssm import moments
from gdssm.construction import pairs
from gdssm.descent import sufficient_statistics
from gdssm.input_gate import InputGate
from gdssm.tokens import interleave
from gdssm.window import X, Y, slide
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, N, context

WEIGHT = torch.randn(B, N, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def by_windows(x: torch.Tensor, y: torch.Tensor, *products: tuple[int, int]) -> torch.Tensor:
    """Make every window's product with this pair weight, and add them up."""
    window = slide(interleave(x, y, torch.randn(B, 1, D, dtype=x.dtype)))
    gated: torch.Tensor = InputGate(pairs(*products, dtype=x.dtype))(window)
    return (WEIGHT[..., None, None] * gated).sum(1)


def test_the_sum_of_a_sequence_is_that_of_its_gated_windows() -> None:
    x, y, _ = context()
    count, gated_sum = sufficient_statistics(x, y, WEIGHT)
    assert_close(count, WEIGHT.sum(1), "count")
    assert_close(gated_sum, by_windows(x, y, (X, X), (X, Y)), "gated sum")


def test_the_sum_of_nothing_is_zero() -> None:
    x, y, _ = context()
    count, gated_sum = sufficient_statistics(x[:, :0], y[:, :0], WEIGHT[:, :0])
    assert count.shape == (B,)
    assert gated_sum.shape == (B, D + K, D + K)
    assert not count.any()
    assert not gated_sum.any()


def test_the_comoment_is_that_of_the_gated_windows_of_centred_tokens() -> None:
    x, y, _ = context()
    after = moments.add(moments.empty(B, D + K), x, y, WEIGHT)
    centred = x - after.mean[:, None, :D], y - after.mean[:, None, D:]
    assert_close(after.comoment, by_windows(*centred, (X, X), (X, Y), (Y, X), (Y, Y)), "comoment")
