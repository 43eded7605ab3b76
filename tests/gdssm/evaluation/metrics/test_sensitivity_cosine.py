import numpy as np
import pytest

from gdssm.evaluation.metrics import sensitivity_cosine

B = np.random.default_rng(0).standard_normal((2, 11, 3, 5))
A = np.random.default_rng(1).standard_normal((2, 11, 3, 5))


def test_the_mean_of_the_cosines_of_flattened_jacobians() -> None:
    cosines = [a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in zip(A.reshape(22, 15), B.reshape(22, 15), strict=True)]
    assert sensitivity_cosine(A, B) == pytest.approx(np.mean(cosines))


def test_the_cosine_depends_on_direction_and_not_on_scale() -> None:
    assert sensitivity_cosine(100 * A, A) == pytest.approx(1)
    assert sensitivity_cosine(-A, A) == pytest.approx(-1)


def test_a_jacobian_of_zero_counts_as_zero() -> None:
    half = A.copy()
    half[0] = 0
    assert sensitivity_cosine(half, A) == pytest.approx(0.5)
    assert sensitivity_cosine(0 * A, 0 * A) == 0


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^reference has shape \(2, 11, 1, 5\)"):
        sensitivity_cosine(A, B[:, :, :1])
