import numpy as np
import pytest

from gdssm.evaluation.metrics import sensitivity_difference

B = np.random.default_rng(0).standard_normal((2, 11, 3, 5))
A = np.random.default_rng(1).standard_normal((2, 11, 3, 5))


def test_the_mean_of_frobenius_distances() -> None:
    distances = [np.sqrt(((A[b, m] - B[b, m]) ** 2).sum()) for b in range(2) for m in range(11)]
    assert sensitivity_difference(A, B) == pytest.approx(np.mean(distances))
    assert sensitivity_difference(3 * A, 3 * B) == pytest.approx(3 * np.mean(distances))
    assert sensitivity_difference(A, A) == 0


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^reference has shape \(2, 11, 1, 5\)"):
        sensitivity_difference(A, B[:, :, :1])
