"""A claim is met by its number alone, a loss ratio by the upper end of its interval."""

import math

import numpy as np
import pytest

from gdssm.reproduce.claims import STEPS, Verdict, at_least, at_most, best_rates, not_inferior, of_presets
from gdssm.reproduce.loss_ratio import MARGIN, LossRatio
from gdssm.train.presets import PRESETS
from tests.closeness import assert_close
from tests.nonempty import nonempty

GOOD = {
    "loss_ratio": 0.9999,
    "loss_ratio_low": 0.99,
    "loss_ratio_high": 1.003,
    "without_extremes": 1.001,
    "geometric": 1.002,
    "sensitivity_cosine": 0.99999,
    "relative_prediction_difference": 0.006,
    "input_gate_rest": 0.001,
    "output_gate_rest": 0.001,
    "least_decay": 0.9998,
    "rates_difference": 0.01,
    "loss": 0.0001,
}
FAILING = {
    "loss_ratio_high": 1.021,
    "sensitivity_cosine": 0.998,
    "relative_prediction_difference": 0.021,
    "input_gate_rest": 0.011,
    "output_gate_rest": 0.011,
    "least_decay": 0.99,
    "rates_difference": 0.051,
    "loss": 0.01,
}


def judge(changed: dict[str, float]) -> list[Verdict]:
    return of_presets({name: {**GOOD, **changed} for name in PRESETS})


def test_every_preset_has_a_claim() -> None:
    assert {verdict.how for verdict in judge({})} == set(PRESETS)


def test_good_numbers_meet_all() -> None:
    assert all(verdict.met for verdict in nonempty(judge({})))


@pytest.mark.parametrize("metric", FAILING)
@pytest.mark.parametrize("kind", ["failing", "not a number"])
def test_a_failing_number_fails_its_claims_and_no_other(metric: str, kind: str) -> None:
    verdicts = judge({metric: FAILING[metric] if kind == "failing" else math.nan})
    missed = {verdict.quantity for verdict in verdicts if not verdict.met}
    assert missed
    assert missed < {verdict.quantity for verdict in verdicts}
    assert missed.isdisjoint({verdict.quantity for verdict in verdicts if verdict.met})


@pytest.mark.parametrize(("value", "met"), [(1.0, True), (1.01, False), (math.nan, False)])
def test_a_bound_itself_is_met(value: float, met: bool) -> None:
    assert at_most(STEPS, "", "", value, 1.0).met is met
    assert at_least(STEPS, "", "", -value, -1.0).met is met


@pytest.mark.parametrize(("high", "met"), [(1.0, True), (MARGIN, True), (1.0201, False), (math.nan, False)])
def test_of_several_seeds_the_worst_upper_end_decides(high: float, met: bool) -> None:
    verdict = not_inferior(STEPS, "", "", [GOOD, {**GOOD, "loss_ratio": 0.9, "loss_ratio_high": high}])
    assert verdict.met is met
    assert verdict.measured.startswith("0.9000 – 0.9999")


def test_a_rate_of_one_seed_fails_all() -> None:
    assert best_rates(STEPS, "", [0.01, 0.05]).met
    assert not best_rates(STEPS, "", [0.01, 1.2]).met


def test_an_extreme_context_counts_in_the_mean_alone() -> None:
    x = np.random.default_rng(0).normal(size=(1000, 7, 3))
    x[0] *= 100
    theirs = np.ones(1000)
    theirs[0] = 1e6
    ratio = LossRatio.of(1.01 * np.ones(1000), theirs, x)
    assert ratio.loss_ratio < 0.01
    assert_close(np.array(ratio.without_extremes), np.array(1.01), "without extremes")
    assert 0.99 < ratio.geometric < 1.01
    same = LossRatio.of(theirs, theirs, x)
    assert (same.loss_ratio, same.loss_ratio_high, same.without_extremes, same.geometric) == (1.0, 1.0, 1.0, 1.0)
