import pytest

from service.errors import InvalidInput
from service.evaluations.comparison import regressions
from service.evaluations.result import ScoreView
from tests.service.evaluations.reports import report, score


@pytest.mark.parametrize(
    ("metric", "value", "worse"),
    [
        ("loss", 1.3, True),
        ("loss", 1.15, False),
        ("loss", 0.1, False),
        ("loss", None, True),
        ("r2", 0.7, True),
        ("r2", 0.85, False),
        ("r2", 2.0, False),
        ("sensitivity_cosine", 0.7, True),
        ("relative_prediction_difference", 1.3, True),
        ("relative_prediction_difference", 0.7, False),
        ("interval_score_90", 1.3, True),
        ("interval_score_90", 0.7, False),
        ("interval_score_90", None, True),
        ("coverage_90", 1.3, True),
        ("coverage_90", 1.15, False),
        ("coverage_90", 0.75, True),
        ("coverage_80", 0.79, False),
        ("coverage_80", 0.5, True),
    ],
)
def test_only_separate_intervals_are_a_regression(metric: str, value: float | None, worse: bool) -> None:
    before = report(score("sine", "linear", **{metric: 1.0}), score("sine", "ridge"))
    after = report(score("sine", "linear", **{metric: value}), score("sine", "ridge", **{metric: 99.0}))
    found = list(regressions(before, after))
    assert len(found) == worse
    assert all(line.startswith(f"linear@sine.{metric} is ") and "; it was 1 [0.9, 1.1]" in line for line in found)


def test_metric_without_baseline_number_is_no_regression() -> None:
    before = report(score("sine", "linear", loss=None), ScoreView(distribution="drift", learner="linear", refused="no"))
    assert list(regressions(before, report(score("sine", "linear", loss=9.0), score("drift", "linear")))) == []


def test_lost_intervals_are_a_regression_and_new_ones_are_not() -> None:
    with_intervals = report(score("sine", "linear", coverage_90=0.9))
    without = report(score("sine", "linear"))
    assert list(regressions(with_intervals, without)) == [
        "linear@sine.coverage_90 is not given any more; it was 0.9 [0.8, 1]"
    ]
    assert list(regressions(without, with_intervals)) == []


def test_model_that_no_longer_fits_is_a_regression() -> None:
    after = report(ScoreView(distribution="sine", learner="linear", refused="It takes 2 inputs."))
    assert list(regressions(report(score("sine", "linear")), after)) == [
        "linear@sine does not fit any more: It takes 2 inputs."
    ]


def test_reports_of_other_tasks_or_models_are_refused() -> None:
    before = report(score("sine", "linear"))
    with pytest.raises(InvalidInput, match="--baseline: was made with another seed;"):
        list(regressions(before, report(seed=1)))
    with pytest.raises(InvalidInput, match="--baseline: has none of these models"):
        list(regressions(before, report(models=("gd-1",))))
    assert list(regressions(before, report(score("sine", "gd-1", r2=0.0), models=("linear", "gd-1")))) == []
