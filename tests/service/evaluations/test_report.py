import xml.etree.ElementTree as ET

import pytest

from service.evaluations.drawing import curves
from service.evaluations.report import Report, markdown
from service.evaluations.result import PointView, ScoreView
from tests.nonempty import nonempty
from tests.service.evaluations.reports import interval, report, score

SINE = score("sine", "linear", r2=None, coverage_80=0.7, coverage_90=0.9, interval_score_90=None)
GONE = ScoreView(distribution="drift", learner="linear", refused="It takes 2 inputs.")
RESULTS = (SINE, score("sine", "ridge"), GONE, score("drift", "ridge"))


def test_report_survives_its_own_json() -> None:
    written = report(*RESULTS)
    assert Report.model_validate_json(written.model_dump_json()) == written
    assert written.own_results == [SINE, GONE]


def test_markdown_has_a_table_for_each_distribution() -> None:
    text = markdown(report(*RESULTS))
    assert text.startswith("# paper, seed 0\n\nlinear 1.0.0 (000000000000). 200 tasks")
    assert text.index("## sine") < text.index("## drift")
    one, none = "1 [0.9, 1.1]", "– [–, –]"
    assert f"| linear | {one} | {none} | 0.7 [0.6, 0.8] | 0.9 [0.8, 1] | {none} | {one} | {one} |" in text
    assert f"| ridge | {one} | {one} | – | – | – | {one} | {one} |" in text
    assert "| linear | does not fit: It takes 2 inputs. |  |  |  |  |  |  |" in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.count("|") == 9 for line in nonempty(tables))


def test_markdown_explains_the_reference_of_averaging_models() -> None:
    text = " ".join(markdown(report(*RESULTS)).split())
    assert "gradient descent of as many steps with the best rates" in text
    assert "models that average over all numbers of steps with ridge" in text


def test_report_without_interval_metrics_is_read() -> None:
    written = report(score("sine", "linear")).model_dump(mode="json")
    for result in nonempty(written["results"]):
        for name in ("coverage_80", "coverage_90", "interval_score_90"):
            assert result.pop(name) is None
    assert Report.model_validate(written) == report(score("sine", "linear"))


@pytest.mark.slow
def test_drawing_is_reproducible_svg_with_all_learners() -> None:
    drawn = curves(report(*RESULTS))
    texts = {text for element in ET.fromstring(drawn).iter() if (text := (element.text or "").strip())}  # noqa: S314
    assert {"sine", "drift", "linear", "ridge", "observations", "loss"} <= texts
    assert curves(report(*RESULTS)) == drawn


@pytest.mark.slow
def test_curve_without_finite_numbers_is_omitted() -> None:
    lost = SINE.model_copy(update={"curve": (PointView(observations=1, loss=interval(None)),)})
    assert b"<svg" in curves(report(lost))
