import numpy as np
import pytest

from gdssm.evaluation.metrics import task_coverages

LOWER = np.zeros((2, 3, 1))
UPPER = np.ones((2, 3, 1))


def test_it_is_the_share_within_of_each_task_with_the_bounds() -> None:
    observed = np.array([[0.0, 1.0, 0.5], [-1e-9, 1 + 1e-9, 0.5]])[..., None]
    np.testing.assert_allclose(task_coverages(LOWER, UPPER, observed), [1, 1 / 3])


def test_outputs_count_one_by_one() -> None:
    observed = np.array([[[0.5, 2.0]]])
    assert task_coverages(np.zeros((1, 1, 2)), np.ones((1, 1, 2)), observed) == pytest.approx(0.5)


@pytest.mark.parametrize("side", [0, 1])
def test_a_task_that_lacks_an_interval_has_no_coverage(side: int) -> None:
    bounds = LOWER.copy(), UPPER.copy()
    bounds[side][1, 2] = np.nan
    np.testing.assert_array_equal(task_coverages(bounds[0], bounds[1], LOWER + 0.5), [1, np.nan])


def test_unbounded_intervals_cover_everything() -> None:
    assert task_coverages(LOWER - np.inf, UPPER + np.inf, LOWER + 1e300) == pytest.approx([1, 1])


def test_shapes_that_numpy_would_broadcast_are_refused() -> None:
    with pytest.raises(ValueError, match=r"observed has shape \(2, 1, 1\)"):
        task_coverages(LOWER, UPPER, LOWER[:, :1])
