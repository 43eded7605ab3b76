"""`gdssm inspect`: how a table is read and used."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli import main


@pytest.fixture(autouse=True)
def _table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("n;town;y\n1,5;Bern;1\n2,5;Basel;2\n;Bern;\n4,5;Bern;4\n")


def inspect(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["inspect", "t.csv", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_columns_are_described() -> None:
    first, *columns = inspect("--target", "y").splitlines()
    assert first == "t.csv: text in utf-8, separated by ';'; 3 rows with a value in 'y'."
    assert columns == [
        "  n     number, with a decimal comma (1,5, 2,5, 4,5)",
        "  town  category of 2 levels: Bern, Basel; other levels count as none",
        "  y     predicted: number; 1 missing cell (1, 4)",
    ]


def test_without_a_target_all_rows_count() -> None:
    first, n, *_ = inspect().splitlines()
    assert first.endswith("4 rows.")
    assert n == "  n     number, with a decimal comma; 1 missing cell (1,5, 2,5, 4,5)"


def test_json_has_the_schema() -> None:
    found = json.loads(inspect("--target", "y", "--json"))
    assert [column["kind"] for column in found["columns"]] == ["number", "category", "target"]
    assert found["schema"]["target"] == {"name": "y", "kind": "number"}
    assert found["rows"] == 3


def test_an_unknown_target_is_refused() -> None:
    result = CliRunner().invoke(main, ["inspect", "t.csv", "--target", "z"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: t.csv: has no column 'z'; it has 'n', 'town', 'y'.\n"
