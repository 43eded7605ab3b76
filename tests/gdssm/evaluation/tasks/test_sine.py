import math

import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.tasks.nonlinear import Sine
from tests.gdssm.evaluation.statistical import assert_mean

COUNT = 10_000


@pytest.fixture(scope="module")
def amplitude_and_phase() -> tuple[Array, Array]:
    """Read off the data: a·sin(x + φ) = a·cos φ·sin x + a·sin φ·cos x."""
    batch = Sine().sample(np.random.default_rng(0), COUNT, 10, 2)
    features, asked = (np.concatenate([np.sin(x), np.cos(x)], axis=2) for x in (batch.x, batch.x_query))
    mixture = np.linalg.pinv(features) @ batch.y
    np.testing.assert_allclose(asked @ mixture, batch.y_query, atol=1e-8)
    return np.hypot(mixture[:, 0, 0], mixture[:, 1, 0]), np.arctan2(mixture[:, 1, 0], mixture[:, 0, 0])


def test_amplitude_and_phase_are_uniform(amplitude_and_phase: tuple[Array, Array]) -> None:
    amplitude, phase = amplitude_and_phase
    assert 0.1 - 1e-8 <= amplitude.min() < 0.11
    assert 0.49 < amplitude.max() <= 0.5 + 1e-8
    assert phase.min() >= -1e-8
    assert_mean(amplitude, 0.3)
    assert_mean(phase, math.pi / 2)
    assert_mean((phase - math.pi / 2) ** 2, math.pi**2 / 12)


def test_amplitude_and_phase_are_independent(amplitude_and_phase: tuple[Array, Array]) -> None:
    assert abs(np.corrcoef(*amplitude_and_phase)[0, 1]) <= 4 / math.sqrt(COUNT)


def test_zero_has_the_loss_of_the_mean_square() -> None:
    batch = Sine().sample(np.random.default_rng(0), COUNT, 1, 4)
    mean_square_amplitude = (0.1**2 + 0.1 * 0.5 + 0.5**2) / 3
    assert_mean(0.5 * (batch.y_query**2).mean(axis=(1, 2)), 0.5 * 0.5 * mean_square_amplitude)


def test_inputs_cover_minus_five_to_five() -> None:
    x = Sine().sample(np.random.default_rng(0), 1000, 10, 0).x
    assert x.shape == (1000, 10, 1)
    assert -5 <= x.min() < -4.9
    assert 4.9 < x.max() <= 5


def test_an_interval_upside_down_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^phase is \(1.0, 0.0\); give the lower end first"):
        Sine(phase=(1.0, 0.0))
