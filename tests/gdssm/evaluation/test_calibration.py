from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.calibration import Calibration, calibrate
from gdssm.evaluation.learners import Mean
from gdssm.evaluation.tasks.linear import Linear, Noisy
from gdssm.evaluation.tasks.task import Batch
from tests.nonempty import nonempty

BATCH = Noisy(Linear(inputs=5, outputs=2)).sample(np.random.default_rng(0), 40, 7, 3)


@dataclass(frozen=True)
class Bounded(Mean):
    """Zero plus or minus a width for each level, but for some queries of the first task."""

    widths: tuple[float, float] = (1.0, 2.0)
    missing: int = 0

    def intervals(self, x: Array, y: Array, x_query: Array, levels: Sequence[float]) -> Array:
        assert tuple(levels) == (0.8, 0.9)
        shape = (len(x), x_query.shape[1], y.shape[2])
        bounds = np.array([[np.full(shape, -width), np.full(shape, width)] for width in self.widths])
        bounds[:, :, 0, : self.missing] = np.nan
        return bounds


def measure(learner: Bounded, batch: Batch = BATCH) -> Calibration:
    return calibrate(learner, batch, partial(np.random.default_rng, 0))


def test_intervals_are_compared_with_noisy_observations() -> None:
    found, observed = measure(Bounded()), BATCH.observable
    assert not np.array_equal(observed, BATCH.y_query)
    assert found.coverage_80.mean == pytest.approx((np.abs(observed) <= 1).mean())
    assert found.coverage_90.mean == pytest.approx((np.abs(observed) <= 2).mean())
    deviation = np.sqrt(observed.var(axis=(0, 1)).mean())
    score = (4 + 20 * np.maximum(np.abs(observed) - 2, 0)).mean()
    assert found.interval_score_90.mean == pytest.approx(score / deviation)


def test_every_interval_holds_its_mean() -> None:
    for interval in nonempty(vars(measure(Bounded())).values()):
        assert interval.low < interval.mean < interval.high


def test_the_score_does_not_depend_on_the_units_of_y() -> None:
    scaled = replace(BATCH, y_query=1000 * BATCH.y_query, noisy_y_query=1000 * BATCH.observable)
    other = measure(Bounded((1000.0, 2000.0)), scaled)
    assert other.interval_score_90.mean == pytest.approx(measure(Bounded()).interval_score_90.mean)
    assert other.coverage_90 == measure(Bounded()).coverage_90


def test_the_score_of_normal_observations_is_4_13() -> None:
    y = np.random.default_rng(0).standard_normal((2, 100_000, 1))
    batch = Batch(np.zeros((2, 1, 1)), np.zeros((2, 1, 1)), np.zeros_like(y), y)
    found = measure(Bounded((1.281552, 1.644854)), batch)
    assert found.interval_score_90.mean == pytest.approx(4.13, abs=0.02)
    assert (found.coverage_80.mean, found.coverage_90.mean) == pytest.approx((0.8, 0.9), abs=0.003)


def test_one_interval_that_is_missing_leaves_every_number_undefined() -> None:
    for interval in nonempty(vars(measure(Bounded(missing=1))).values()):
        assert np.isnan([interval.mean, interval.low, interval.high]).all()


def test_observations_that_do_not_vary_have_a_coverage_and_no_score() -> None:
    flat = replace(BATCH, y_query=0 * BATCH.y_query, noisy_y_query=None)
    found = measure(Bounded(), flat)
    assert found.coverage_90.mean == 1
    assert np.isnan(found.interval_score_90.mean)
