import pytest

from service.errors import InvalidInput
from service.evaluations.result import ScoreView
from service.evaluations.thresholds import Threshold
from tests.service.evaluations.reports import score

RESULTS = [
    score("sine", "linear", r2=0.5, loss=2.0),
    score("inputs-1.5x", "linear", r2=0.95),
    score("sine", "gd-1.b", r2=None),
    score("drift", "linear", coverage_90=0.8, interval_score_90=None),
    ScoreView(distribution="inputs-1.5x", learner="gd-1.b", refused="It has one input."),
]


def met(text: str) -> list[str]:
    return [line.partition(" is ")[0] for line in Threshold.parse(text).met_by(RESULTS)]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("linear.r2 < 0.9", ["linear@sine.r2"]),
        ("  linear.r2<0.9 ", ["linear@sine.r2"]),
        ("linear@inputs-1.5x.r2 >= 0.95", ["linear@inputs-1.5x.r2"]),
        ("linear@inputs-1.5x.r2 > 0.95", []),
        ("coverage_90 < 0.85", ["linear@drift.coverage_90"]),
        ("coverage_90 > 0.95", []),
        ("interval_score_90 > 5", ["linear@drift.interval_score_90"]),
        ("loss > 1", ["linear@sine.loss"]),
        ("@sine.loss >= 1e0", ["linear@sine.loss", "gd-1.b@sine.loss"]),
        ("gd-1.b.r2 < -1e9", ["gd-1.b@sine.r2"]),
        ("sensitivity_cosine <= 0.99", []),
        ("relative_prediction_difference > -inf", ["linear@sine", "linear@inputs-1.5x", "gd-1.b@sine", "linear@drift"]),
    ],
)
def test_condition_selects_by_model_distribution_and_number(text: str, where: list[str]) -> None:
    metric = "relative_prediction_difference"
    assert met(text) == ([f"{place}.{metric}" for place in where] if metric in text else where)


@pytest.mark.parametrize(
    "text",
    ["", "r2", "r2 < ", "r2 < high", "r2 = 1", "r2 == 1", "rmse < 1", "a b.r2 < 1", "r2 < 1; loss > 2", "@.r2 < 1"],
)
def test_invalid_condition_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"--fail-if: must be like 'r2 < 0.9'"):
        Threshold.parse(text)


@pytest.mark.parametrize(
    "text", ["cubic.r2 < 1", "@noisy.r2 < 1", "gd-1.b@inputs-1.5x.r2 < 1", "gd-1.b.coverage_90 < 1", "coverage_80 < 1"]
)
def test_condition_without_applicable_results_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="applies to no result"):
        met(text)
