"""Sums over the path of gradient flow are inverses and log determinants, at every rate that there is."""

import numpy as np

from gdssm.quadrature import (
    LATE,
    LOWEST_RATE,
    PATH,
    log_determinant_weights,
    null_weights,
    path_of,
    ridge_weights,
    unobserved,
)
from tests.closeness import assert_close

RATES = np.geomspace(LOWEST_RATE, 1.0, 40)
OBSERVED = np.geomspace(4e-5 / 8, 1 / 8, 30)
"""Eigenvalues for which the flow has ended at the end of the path, up to the largest."""


def test_the_weights_make_the_inverse_of_every_eigenvalue_and_rate() -> None:
    flow, _ = path_of(OBSERVED)
    assert_close(ridge_weights(RATES) @ flow, 1.0 / (OBSERVED + RATES[:, None]), "inverse", rtol=1e-9)


def test_the_weights_make_the_log_determinant() -> None:
    _, traces = path_of(OBSERVED)
    expected = np.log1p(OBSERVED / RATES[:, None]).sum(1)
    assert_close(log_determinant_weights(RATES) @ traces, expected, "log determinant", rtol=1e-9)


def test_in_unobserved_directions_the_inverse_is_one_over_the_rate() -> None:
    flow, traces = path_of(np.zeros(3))
    weights = ridge_weights(RATES)
    found = weights @ flow + null_weights(RATES, weights)[:, None] * unobserved(np.zeros(3))
    assert_close(found, np.repeat(1.0 / RATES[:, None], 3, axis=1), "inverse", rtol=1e-9)
    assert not traces.any()


def test_unobserved_directions_are_distinguished() -> None:
    assert unobserved(np.array([0.0, 1e-12])).min() > 0.99
    assert unobserved(OBSERVED).max() < 1e-12


def test_beyond_the_path_the_flow_does_not_change() -> None:
    assert LATE[PATH - 1] == 2.0**22.5
    assert np.exp(-OBSERVED * LATE[PATH]).max() < 1e-9
    assert np.exp(-LOWEST_RATE * LATE[-1]) < 1e-13
