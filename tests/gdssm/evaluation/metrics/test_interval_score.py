from statistics import NormalDist

import numpy as np
import pytest

from gdssm.evaluation.metrics import task_interval_scores


def score(lower: float, upper: float, observed: float, level: float = 0.9) -> float:
    low, high, y = (np.full((1, 1, 1), value) for value in (lower, upper, observed))
    return float(task_interval_scores(low, high, y, level)[0])


def test_it_is_the_width_and_a_penalty_for_the_distance_outside() -> None:
    assert score(-1, 2, 0.0) == pytest.approx(3)
    assert score(-1, 2, 2.0) == pytest.approx(3)
    assert score(-1, 2, 2.5) == pytest.approx(3 + 20 * 0.5)
    assert score(-1, 2, -1.5) == pytest.approx(3 + 20 * 0.5)
    assert score(-1, 2, -1.5, level=0.8) == pytest.approx(3 + 10 * 0.5)


def test_it_is_the_mean_over_queries_and_outputs_of_each_task() -> None:
    lower = np.zeros((2, 2, 2))
    observed = np.array([[[0.5, 0.5], [0.5, 0.5]], [[0.5, 2.0], [0.5, 0.5]]])
    np.testing.assert_allclose(task_interval_scores(lower, lower + 1, observed, 0.9), [1, 1 + 20 / 4])


def test_of_normal_observations_the_central_interval_has_the_lowest() -> None:
    observed = np.random.default_rng(0).standard_normal((1, 200_000, 1))
    z = NormalDist().inv_cdf(0.95)

    def of(low: float, high: float) -> float:
        bound = np.ones_like(observed)
        return float(task_interval_scores(low * bound, high * bound, observed, 0.9)[0])

    assert of(-z, z) == pytest.approx(4 / 0.1 * NormalDist().pdf(z), rel=0.01)
    assert of(-z, z) < min(of(-0.9 * z, 0.9 * z), of(-1.1 * z, 1.1 * z), of(-z + 0.2, z + 0.2))


def test_a_task_that_lacks_an_interval_has_no_score() -> None:
    lower = np.array([[[0.0]], [[np.nan]]])
    np.testing.assert_array_equal(task_interval_scores(lower, lower + 1, np.zeros((2, 1, 1)), 0.9), [1, np.nan])


@pytest.mark.parametrize("level", [0.0, 1.0, float("nan")])
def test_a_level_that_is_no_probability_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level is"):
        score(0, 1, 0.5, level)


def test_shapes_that_numpy_would_broadcast_are_refused() -> None:
    with pytest.raises(ValueError, match="upper has shape"):
        task_interval_scores(np.zeros((2, 3, 1)), np.zeros((2, 1, 1)), np.zeros((2, 3, 1)), 0.9)
