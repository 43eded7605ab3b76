import json
from pathlib import Path

import pytest

from benchmarks import __main__ as runner
from benchmarks import cost, results
from benchmarks.results import Goal, Result, Table
from tests.nonempty import nonempty
from tests.running import ROOT

RESULT = Result(
    "Bulk",
    "How.",
    [Table("Times:", ["a", "b"], [["1", "2"]])],
    [
        Goal("memory", "< 300 MB", "198 MB", met=True, reason="unused"),
        Goal("time ÷ numpy's", "≤ 1.5", "1.68", met=False, reason="It starts."),
        Goal("rate", "≥ 2", "", met=None),
    ],
    {"seconds": 1.5},
    {"figure": "<svg/>"},
)


def test_a_result_is_written_and_read_again(tmp_path: Path) -> None:
    results.write(tmp_path, "bulk", RESULT)
    again = Result.read(tmp_path / "bulk.json")
    assert (again.title, again.tables, again.goals) == (RESULT.title, RESULT.tables, RESULT.goals)
    assert (again.numbers, list(again.figures)) == (RESULT.numbers, ["figure"])
    assert (tmp_path / "figure.svg").read_text() == "<svg/>"
    assert again.markdown() == (tmp_path / "bulk.md").read_text()


def test_the_section_has_method_figures_tables_goals_and_hardware(tmp_path: Path) -> None:
    results.write(tmp_path, "bulk", RESULT)
    text = (tmp_path / "bulk.md").read_text()
    parts = ["## Bulk", "How.", "![figure](figure.svg)", "Times:", "| 1 | 2 |", "| memory |", results.hardware()]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_goals_are_gathered_with_the_reason_where_one_is_missed(tmp_path: Path) -> None:
    results.write(tmp_path, "bulk", RESULT)
    text = results.summary(tmp_path)
    assert "### Bulk" in text
    assert "| memory | < 300 MB | 198 MB | met |" in text
    assert "| time ÷ numpy's | ≤ 1.5 | 1.68 | **not met** (1) |" in text
    assert text.endswith("\n\n(1) It starts.")
    assert "unused" not in text
    assert "| rate | ≥ 2 |  | not measured |" in text
    assert "| 1 | 2 |" not in text
    assert results.hardware() in text


def test_the_readme_shows_the_committed_results() -> None:
    assert results.summary() in results.README.read_text(encoding="utf-8"), "run `python -m benchmarks --report`"


def test_every_goal_that_is_missed_has_its_reason() -> None:
    committed = [Result.read(path) for path in sorted(results.RESULTS.glob("*.json"))]
    for goal in nonempty([goal for result in committed for goal in result.goals if goal.met is False]):
        assert goal.reason, goal.measure


def test_goals_are_replaced_between_their_marks(tmp_path: Path) -> None:
    results.write(tmp_path, "cost", RESULT)
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{results.BEGIN}\nold\n{results.END}\nafter\n")
    for _ in range(2):
        results.update_readme(tmp_path, readme)
    shown = readme.read_text()
    assert shown.startswith(f"before\n{results.BEGIN}\n\n### Bulk")
    assert shown.endswith(f"\n\n{results.END}\nafter\n")
    assert shown.count("| memory |") == 1
    assert "old" not in shown


def test_a_benchmark_that_fails_leaves_no_older_result(tmp_path: Path) -> None:
    results.write(tmp_path, "absent", RESULT)
    assert runner.run_all(["absent"], tmp_path, quick=True) == ["absent"]
    assert not (tmp_path / "absent.json").exists()
    assert not (tmp_path / "absent.md").exists()


def test_a_quick_run_does_not_write_committed_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "QUICK", tmp_path / "quick")
    assert runner.parse(["cost", "--quick"]).out == tmp_path / "quick"
    assert runner.parse(["cost"]).out == results.RESULTS


def test_every_benchmark_can_be_run_by_its_name() -> None:
    for path in nonempty(sorted(results.RESULTS.glob("*.json"))):
        assert path.stem in {**runner.REPORTED, **runner.FURTHER}


def test_every_name_is_a_function_of_quick() -> None:
    for target in nonempty({**runner.REPORTED, **runner.FURTHER}.values()):
        module, _, function = target.partition(":")
        source = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        assert f"def {function or 'run'}(*, quick: bool) -> Result:" in source, target


def test_one_benchmark_runs_in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "run", lambda **_: RESULT)
    runner.run_one("cost", tmp_path, quick=True)
    assert json.loads((tmp_path / "cost.json").read_text())["title"] == "Bulk"
