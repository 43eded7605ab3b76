import numpy as np
import pytest

from gdssm.evaluation.metrics.r2 import r2

Y = np.random.default_rng(0).standard_normal((2, 11, 3)) + np.array([0.0, 10.0, -20.0])


def test_right_everywhere_is_one() -> None:
    assert r2(Y, Y) == 1


def test_the_mean_of_each_output_is_zero() -> None:
    assert r2(np.broadcast_to(Y.mean(axis=(0, 1)), Y.shape), Y) == pytest.approx(0)


def test_the_mean_of_all_outputs_together_is_worse_than_zero() -> None:
    assert r2(np.full(Y.shape, Y.mean()), Y) < -10


def test_half_of_every_deviation_leaves_a_quarter_of_the_variance() -> None:
    mean = Y.mean(axis=(0, 1))
    assert r2(mean + (Y - mean) / 2, Y) == pytest.approx(0.75)


def test_answers_that_do_not_vary_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^y_query does not vary"):
        r2(Y, np.ones(Y.shape))
    with pytest.raises(ValueError, match=r"^y_query has shape"):
        r2(Y, Y[..., :1])
