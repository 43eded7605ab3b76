"""The process has the sines' own moments."""

import numpy as np
import pytest

from gdssm.evaluation.tasks.nonlinear import Sine
from gdssm.reproduce.gaussian_process import sine_process, smooth_process
from tests.closeness import assert_close

POINTS = np.array([-4.0, -1.0, 0.5, 3.0])[None, :, None]


def test_its_moments_are_those_of_the_sines() -> None:
    rng = np.random.default_rng(0)
    amplitude, phase = rng.uniform(0.1, 0.5, 200_000), rng.uniform(0, np.pi, 200_000)
    values = amplitude[:, None] * np.sin(POINTS.ravel() + phase[:, None])
    process = sine_process(Sine())
    assert_close(values.mean(0), process.mean(POINTS).ravel(), "mean", rtol=0.01)
    assert_close(np.cov(values.T), process.covariance(POINTS, POINTS)[0], "covariance", rtol=0.01)


def test_two_points_fix_a_sine() -> None:
    batch = Sine().sample(np.random.default_rng(1), 50, 2, 7)
    prediction = sine_process(Sine()).predict(batch.x, batch.y, batch.x_query)
    assert np.median(np.abs(prediction - batch.y_query)) < 1e-4


def test_a_smooth_process_interpolates_observations() -> None:
    x = np.array([-3.0, 0.0, 2.0])[None, :, None]
    assert_close(smooth_process(1.0).predict(x, np.cos(x), x), np.cos(x), "y", rtol=1e-6)


def test_another_phase_has_another_closed_form() -> None:
    with pytest.raises(ValueError, match="phase"):
        sine_process(Sine(phase=(0.0, 1.0)))
