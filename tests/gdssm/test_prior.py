"""The numbers of the evidence average are those of the derivation in gdssm's README, and of float64's rounding."""

import numpy as np
import pytest

from gdssm import decay_average, prior, quadrature
from tests.closeness import assert_close
from tests.running import ROOT

TEXT = " ".join((ROOT / "gdssm/README.md").read_text().split())
EPSILON = float(np.finfo(np.float64).eps)
FIRST, LAST = prior.STRENGTHS[[0, -1]]
DECAYS = [f"{decay:g}" for decay in decay_average.DECAYS]
EARLIEST, LATEST = -2 * quadrature.HALVINGS, 2 * (quadrature.DOUBLINGS + quadrature.LATER) + 1
STATED = [
    f"There are {len(prior.STRENGTHS)} strengths, from {FIRST:g} down to {LAST:.0e}, each half".replace("e-0", "e-"),
    f"t(z) = {prior.BEND:g} tanh(z/{prior.BEND:g})",
    f"clipped at min({prior.FURTHEST:g}, 1 + √(n − 1))",
    f"The first {prior.BUFFERED} observations are kept as they came",
    f"Student t distributed with ν = {prior.TAIL_FREEDOM:g} degrees of freedom",
    f"h is at most {prior.LARGEST_LEVERAGE:g}",
    f"({prior.INVERSE_DOUBLINGS} doublings, condition numbers up to 1e11)",
    f"times t = 2^(k/2), k = −{-EARLIEST} … {LATEST}",
    f"From t = 2^{quadrature.DOUBLINGS + 0.5:g} on Q(t)",
    f"found as e^{{−Gt}} at t = 2^{quadrature.DOUBLINGS + quadrature.UNOBSERVED_DOUBLINGS + 0.5:g}",
    f"F = {len(DECAYS)} states forget by λ = {', '.join(DECAYS[:-1])} and {DECAYS[-1]}",
    f"log weight_f ← {decay_average.POWER:g} · log weight_f",
]


@pytest.mark.parametrize("stated", STATED)
def test_a_number_of_the_derivation_is_that_of_the_code(stated: str) -> None:
    assert stated in TEXT


def test_strengths_are_halved_from_one_to_the_next() -> None:
    assert_close(prior.STRENGTHS[1:], prior.STRENGTHS[:-1] / 2, "strengths", rtol=0)


def test_thresholds_are_a_few_roundings_of_float64() -> None:
    """Larger, they would take small differences for rounding; smaller, rounding for differences."""
    assert prior.ROUNDING == 8 * EPSILON
    for threshold in (prior.RESIDUE, prior.SMALLEST_RESIDUAL):
        assert 32 * EPSILON < threshold < 64 * EPSILON
    assert 256 * EPSILON < prior.CONSTANT < 512 * EPSILON
    assert 0 < prior.SMALLEST_SHARE < prior.SMALLEST_FREEDOM < prior.SMALLEST_BOUND < 1e-4


def test_numbers_and_indicators_are_the_first_two_blocks() -> None:
    assert (prior.NUMBERS, prior.INDICATORS) == (0, 1)
