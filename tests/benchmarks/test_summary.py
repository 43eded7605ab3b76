import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as everything
from benchmarks import results, summary
from benchmarks.table import NOT_MET
from tests.nonempty import nonempty

SECTION = """## Bulk

| other | table |
| --- | --- |
| 1 | 2 |

| goal | file | measured |  |
| --- | --- | --- | --- |
| memory under 300 MB | ordinary | 198 MB | met |
| within 1.5 times of numpy | ordinary | 1.68 | **not met** |

Measured on a machine, today.
"""


def test_goals_are_gathered_with_the_reason_where_one_is_not_met(tmp_path: Path) -> None:
    (tmp_path / "bulk.md").write_text(SECTION)
    text = summary.of(tmp_path)
    assert "| memory under 300 MB | ordinary · 198 MB | met |  |" in text
    assert "| within 1.5 times of numpy | ordinary · 1.68 | **not met** | Settings and onnxruntime" in text
    assert "| 1 | 2 |" not in text
    assert "Measured on a machine, today." in text


def test_the_readme_shows_the_last_whole_run() -> None:
    assert summary.of(results.RESULTS).strip() in summary.README.read_text()


def test_goals_are_written_into_the_readme_between_its_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bulk.md").write_text(SECTION)
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{summary.BEGIN}\nof last time\n{summary.END}\nafter\n")
    summary.show(tmp_path, readme)
    assert "of last time" in readme.read_text()
    monkeypatch.setattr(summary, "RESULTS", tmp_path)
    for _ in range(2):
        summary.show(tmp_path, readme)
    shown = readme.read_text()
    assert shown.startswith(f"before\n{summary.BEGIN}\n\n**Bulk**")
    assert shown.endswith(f"\n\n{summary.END}\nafter\n")
    assert shown.count("memory under 300 MB") == 1
    assert "of last time" not in shown


def test_every_goal_that_is_not_met_has_its_reason() -> None:
    for line in nonempty(summary.of(results.RESULTS).splitlines()):
        if NOT_MET in line:
            assert not line.endswith("|  |"), line


def test_a_topic_that_fails_leaves_no_older_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "TOPICS", ("no_such_topic",))
    monkeypatch.setattr(everything, "WITHOUT_GOALS", ())
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--out", str(tmp_path)])
    (tmp_path / "no_such_topic.md").write_text(SECTION)
    with pytest.raises(SystemExit, match="no_such_topic"):
        everything.main()
    assert (tmp_path / "summary.md").read_text() == ""
