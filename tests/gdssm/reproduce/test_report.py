"""The report is whole, stands alone, and says nothing that its numbers do not."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from gdssm.reproduce import __main__ as command
from gdssm.reproduce import report
from gdssm.reproduce.catalog import EXPERIMENTS
from gdssm.reproduce.claims import STATEMENTS
from gdssm.reproduce.experiment import Experiment, Numbers
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.experiments import dimension
from gdssm.reproduce.report import FIGURES, NUMBERS, PAGE
from gdssm.train.presets import PRESETS
from tests.nonempty import nonempty

DIMENSION = Experiment.of(dimension)
NAMES = [experiment.name for experiment in EXPERIMENTS]

pytestmark = pytest.mark.slow  # all use one report, which takes 12 s


@pytest.fixture(scope="session")
def numbers(directory: Path) -> Numbers:
    numbers: Numbers = json.loads((directory / NUMBERS).read_text())
    return numbers


@pytest.fixture(scope="session")
def html(directory: Path) -> str:
    return (directory / PAGE).read_text()


def test_the_numbers_are_all_there(numbers: Numbers) -> None:
    assert set(numbers) == {
        "settings",
        "provenance",
        "training",
        "metrics",
        "seconds",
        "processor_seconds",
        "experiments",
    }
    assert numbers["settings"] == "tiny"
    assert {"date", "commit", "processor", "cores"} <= set(numbers["provenance"])
    assert set(numbers["training"]) == set(PRESETS)
    assert set(numbers["metrics"]) == set(PRESETS)
    assert list(numbers["experiments"]) == NAMES
    assert set(numbers["seconds"]) == set(numbers["processor_seconds"]) == {report.PRESETS_PART, *NAMES}


def test_every_statement_of_the_paper_has_a_number(numbers: Numbers) -> None:
    assert {verdict.statement for verdict in report.verdicts(numbers)} >= set(STATEMENTS)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=NAMES)
def test_every_experiment_has_a_figure_a_table_and_a_sentence(
    experiment: Experiment, numbers: Numbers, directory: Path
) -> None:
    assert (directory / FIGURES / f"{experiment.name}.svg").read_text().startswith("<svg")
    found = numbers["experiments"][experiment.name]
    for table in nonempty(experiment.tables(found)):
        assert table.rows
        assert all(len(row) == len(table.head) for row in table.rows)
    assert experiment.finding(found).endswith(".")


def test_the_page_fetches_nothing(html: str) -> None:
    addresses = re.findall(r"(?:src|href|action|data)\s*=\s*[\"']([^\"']*)", html) + re.findall(r"url\(([^)]*)\)", html)
    assert addresses
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert not re.search(r"<script|<link|@import", html)


def test_the_page_has_every_section_once_and_all_its_ids_apart(html: str) -> None:
    assert html.count("<svg") == len(EXPERIMENTS)
    for name in NAMES:
        assert html.count(f'<h2 id="{name}">') == 1
    linked = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", html))
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert linked <= set(ids)
    assert all(ids.count(name) == 1 for name in linked)


def test_the_page_lists_numbers_that_are_not_met(html: str, numbers: Numbers) -> None:
    verdicts = report.verdicts(numbers)
    met = sum(verdict.met for verdict in verdicts)
    assert met < len(verdicts)
    assert f"{met} of {len(verdicts)} numbers are within their bounds" in html
    assert html.count(">not met<") == len(verdicts) - met
    assert "This is a tiny run" in html


def test_an_experiment_is_measured_again_alone(directory: Path, context: ExperimentContext) -> None:
    before = report.read_numbers(directory)
    before["experiments"]["constructions"] = before["experiments"]["multi_step"] = {}
    after = report.measure_again(before, context, ["constructions"])
    assert set(after["remeasured"]) == {"constructions"}
    again = report.read_numbers(directory)["experiments"]["constructions"]["differences"]
    assert after["experiments"]["constructions"]["differences"] == again
    assert after["experiments"]["multi_step"] == {}


def test_drawing_again_measures_nothing(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(directory / NUMBERS, tmp_path)
    monkeypatch.setattr(report, "EXPERIMENTS", [DIMENSION])
    monkeypatch.setattr(sys, "argv", ["reproduce", "--out", str(tmp_path), "--redraw"])
    command.main()
    figure = Path(FIGURES) / f"{DIMENSION.name}.svg"
    assert (tmp_path / figure).read_text() == (directory / figure).read_text()
    assert (tmp_path / PAGE).exists()
