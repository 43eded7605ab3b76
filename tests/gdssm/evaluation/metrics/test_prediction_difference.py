import numpy as np
import pytest

from gdssm.evaluation.metrics import mean_prediction_difference, relative_prediction_difference

B = np.random.default_rng(0).standard_normal((2, 11, 3))
A = np.random.default_rng(1).standard_normal((2, 11, 3))


def test_relative_difference_is_one_ratio_of_two_lengths() -> None:
    ratio = np.sqrt(sum((A.ravel() - B.ravel()) ** 2)) / np.sqrt(sum(B.ravel() ** 2))
    assert relative_prediction_difference(A, B) == pytest.approx(ratio)
    assert relative_prediction_difference(1.02 * B, B) == pytest.approx(0.02)
    assert relative_prediction_difference(5 * A, 5 * B) == pytest.approx(ratio)


def test_mean_difference_is_a_mean_of_lengths_over_outputs() -> None:
    lengths = [np.sqrt(sum((A[b, m] - B[b, m]) ** 2)) for b in range(2) for m in range(11)]
    assert mean_prediction_difference(A, B) == pytest.approx(np.mean(lengths))
    assert mean_prediction_difference(5 * A, 5 * B) == pytest.approx(5 * np.mean(lengths))


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^reference is zero everywhere"):
        relative_prediction_difference(A, 0 * B)
    with pytest.raises(ValueError, match=r"^reference has shape \(1, 11, 3\)"):
        relative_prediction_difference(A, B[:1])
    with pytest.raises(ValueError, match=r"^reference has shape \(1, 11, 3\)"):
        mean_prediction_difference(A, B[:1])
