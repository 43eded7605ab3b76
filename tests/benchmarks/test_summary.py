from pathlib import Path

from benchmarks import results, summary

ROOT = Path(summary.__file__).parents[1]
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
    assert summary.of(results.RESULTS).strip() in (ROOT / "README.md").read_text()


def test_every_goal_that_is_not_met_has_its_reason() -> None:
    for line in summary.of(results.RESULTS).splitlines():
        if summary.NOT_MET in line:
            assert not line.endswith("|  |"), line
