import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.confidence import Interval, bootstrap_interval


def draw(count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(3.0, 2.0, count)


@pytest.mark.slow
def test_bootstrap_intervals_have_their_coverage() -> None:
    trials, rng = 400, np.random.default_rng(1)
    intervals = [bootstrap_interval(draw(100, seed), rng, level=0.8, resamples=200) for seed in range(trials)]
    held = np.mean([interval.low <= 3.0 <= interval.high for interval in intervals])
    assert abs(held - 0.8) <= 4 * np.sqrt(0.8 * 0.2 / trials)


def test_the_mean_is_the_sample_s() -> None:
    values = draw(50)
    assert bootstrap_interval(values, np.random.default_rng(0)).mean == values.mean()


def test_bootstrap_follows_a_skewed_sample() -> None:
    values = np.r_[np.zeros(99), 100.0]
    interval = bootstrap_interval(values, np.random.default_rng(0))
    assert interval.low == 0.0
    assert interval.high - interval.mean > 1.5 * (interval.mean - interval.low)


def test_a_seed_decides_the_bootstrap() -> None:
    def interval(seed: int) -> Interval:
        return bootstrap_interval(draw(50), np.random.default_rng(seed))

    assert interval(1) == interval(1)
    assert interval(1) != interval(2)


def test_samples_without_spread_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^values has shape \(1,\)"):
        bootstrap_interval(np.ones(1), np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"^values has shape \(3, 2\)"):
        bootstrap_interval(np.ones((3, 2)), np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"^level is 95"):
        bootstrap_interval(draw(5), np.random.default_rng(0), level=95)
