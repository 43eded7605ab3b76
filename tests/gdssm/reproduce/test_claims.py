"""A claim is met by its number alone."""

import math

import pytest

from gdssm.reproduce.claims import CLAIMS, CONSTRUCTED, Claim, verdicts
from gdssm.train.presets import PRESETS

GOOD = {
    "relative_difference": 1e-14,
    "loss_ratio": 0.9999,
    "sensitivity_cosine": 0.99999,
    "relative_prediction_difference": 0.006,
    "input_gate_rest": 0.001,
    "output_gate_rest": 0.001,
    "least_decay": 0.9998,
    "loss": 0.0001,
}
FAILING = {
    "relative_difference": 1e-11,
    "loss_ratio": 1.006,
    "sensitivity_cosine": 0.998,
    "relative_prediction_difference": 0.021,
    "input_gate_rest": 0.01,
    "output_gate_rest": 0.01,
    "least_decay": 0.99,
    "loss": 0.01,
}


def judge(changed: dict[str, float]) -> dict[tuple[str, str], bool]:
    metrics = {**GOOD, **changed}
    interval = {"loss_ratio_low": metrics["loss_ratio"] - 0.0005, "loss_ratio_high": metrics["loss_ratio"] + 0.0005}
    found = verdicts({name: {**metrics, **interval} for name in (CONSTRUCTED, *PRESETS)})
    return {(claim.preset, claim.metric): verdict["met"] for claim, verdict in zip(CLAIMS, found, strict=True)}


def test_every_preset_has_a_claim() -> None:
    assert {claim.preset for claim in CLAIMS} == {CONSTRUCTED, *PRESETS}


def test_good_numbers_meet_all() -> None:
    assert all(judge({}).values())


@pytest.mark.parametrize("metric", GOOD)
@pytest.mark.parametrize("kind", ["failing", "not a number"])
def test_a_failing_number_fails_its_claims_and_no_other(metric: str, kind: str) -> None:
    met = judge({metric: FAILING[metric] if kind == "failing" else math.nan})
    assert met == {(preset, named): named != metric for preset, named in met}


@pytest.mark.parametrize(
    ("relation", "measured", "met"),
    [("≤", 1.0, True), ("≤", 1.01, False), ("≥", 1.0, True), ("≥", 0.99, False), ("<", 1.0, False), ("<", 0.99, True)],
)
def test_equality_meets_only_inclusive_targets(relation: str, measured: float, met: bool) -> None:
    claim = Claim("some", "a number", "metric", relation, 1.0)  # type: ignore[arg-type]
    verdict = claim.verdict({"metric": measured})
    assert verdict["met"] is met
    assert verdict["target"] == f"{relation} 1"


@pytest.mark.parametrize(("low", "met"), [(0.999, True), (1.0, True), (1.0001, False), (math.nan, False)])
def test_within_the_error_it_is_the_interval_that_is_judged(low: float, met: bool) -> None:
    claim = Claim("some", "a ratio", "loss_ratio", "≤", 1.0, within_error=True)
    verdict = claim.verdict({"loss_ratio": 1.0002, "loss_ratio_low": low, "loss_ratio_high": 1.001})
    assert verdict["met"] is met
    assert verdict["measured"] == 1.0002
