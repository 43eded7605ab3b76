"""`gdssm eval`: the offline evaluation's numbers through the public API, and the exit status."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from gdssm.evaluation.evaluate import evaluate as evaluate_in_process
from service.cli import main
from service.evaluations.report import Report
from service.evaluations.request import EvaluationRequest, UploadedTable
from service.evaluations.result import ScoreView, view
from service.evaluations.worker import enter
from service.registry.repository import Repository
from tests.running import Server

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(80, 3))
Y = X @ [1.0, -2.0, 0.5] + 1.0 + 0.1 * GENERATOR.normal(size=80)
SIZES = {"seed": 5, "tasks": 130, "queries": 2, "observations": 12}  # more tasks than one part has
MODELS = ("linear", "gd-8", "sine-trained")
ASKED = ["--curve", "2,7", *(part for name, size in SIZES.items() for part in (f"--{name}", str(size)))]


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [",".join(map(repr, row)) for row in np.column_stack([X, Y]).tolist()]
    Path("rows.csv").write_text("\n".join(["a,b,c,y", *rows]))


def evaluate(*arguments: str, models: tuple[str, ...] = ("linear",)) -> Result:
    named = [part for model in models for part in ("--model", model)]
    data = ["--data", "rows.csv", "--target", "y", "--out", "out"]
    return CliRunner().invoke(main, ["eval", *named, *data, *ASKED, *arguments])


def found() -> Report:
    return Report.model_validate_json(Path("out/evaluation.json").read_bytes())


@pytest.fixture(scope="module")
def offline(repository: Repository) -> list[ScoreView]:
    data = UploadedTable(x=tuple(map(tuple, X.tolist())), y=tuple(Y.tolist()))
    request = EvaluationRequest(suite="data", data=data, models=MODELS, curve=(2, 7), **SIZES)
    candidates = {name: enter(repository.get(name)) for name in MODELS}
    return [view(result) for result in evaluate_in_process(request.plan(), request.distributions(), candidates)]


@pytest.mark.slow
@pytest.mark.parametrize("where", ["in process", "over HTTP"])
def test_results_equal_the_offline_evaluation(where: str, server: Server, offline: list[ScoreView]) -> None:
    result = evaluate(*(["--url", server.url] if where == "over HTTP" else []), models=MODELS)
    assert result.exit_code == 0, result.output
    assert list(found().results) == offline
    assert [model.name for model in found().models] == list(MODELS)
    assert next(score for score in offline if score.learner == "sine-trained").refused
    assert Path("out/evaluation.md").read_text().count("| linear |") == 1
    assert "<svg" in Path("out/evaluation.svg").read_text()


@pytest.mark.slow
def test_met_threshold_and_regression_exit_with_1(server: Server) -> None:
    at = ("--url", server.url)
    assert evaluate(*at, "--fail-if", "linear.r2 < 0.5", "--fail-if", "@data.loss > 9").exit_code == 0
    failed = evaluate(*at, "--fail-if", "r2 < 1.5", "--fail-if", "coverage_90 < 1.1")
    assert failed.exit_code == 1
    assert "Failed: linear@data.r2 is 0.9" in failed.stderr
    assert "Failed: linear@data.coverage_90 is 0." in failed.stderr
    Path("out/evaluation.json").rename("before.json")
    assert evaluate(*at, "--baseline", "before.json").exit_code == 0
    before = json.loads(Path("before.json").read_text())
    before["results"][0]["loss"] = {"mean": 1e-9, "low": 1e-10, "high": 1e-8}
    Path("before.json").write_text(json.dumps(before))
    worse = evaluate(*at, "--baseline", "before.json")
    assert worse.exit_code == 1
    assert "Worse: linear@data.loss is 0.0" in worse.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fail-if", "rmse < 1"], "--fail-if: must be like 'r2 < 0.9'"),
        (["--baseline", "rows.csv"], "rows.csv: is not an evaluation.json"),
        (["--baseline", "not.json"], "not.json: cannot be read (No such file or directory)."),
        (["--curve", "1;2"], "--curve: must be integers separated by commas"),
        (["--curve", "0"], "--curve: is refused: Input should be greater than or equal to 1."),
        (["--seed", "-1"], "--seed: is refused"),
        (["--observations", "200"], "--observations: has 200 observations, and a task 2 queries (--queries)"),
        (["--suite", "paper"], "without --suite"),
        (["--target", "z"], "rows.csv: has no column 'z'"),
        (["--model", "cubic"], "There is no model 'cubic'"),
        (["--url", "http://127.0.0.1:9"], "There is no answer from http://127.0.0.1:9: "),
        (["--url", "http://[::1"], "url: has no port from 1 to 65535 behind the colon; this is 'http://[::1'"),
    ],
)
def test_user_errors_are_one_line_before_evaluation(arguments: list[str], message: str) -> None:
    result = evaluate(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not Path("out").exists()


@pytest.mark.slow
def test_report_is_written_without_matplotlib(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    monkeypatch.delitem(__import__("sys").modules, "service.evaluations.drawing", raising=False)
    result = evaluate("--url", server.url)
    assert result.exit_code == 0
    assert "No drawing: this needs matplotlib" in result.stderr
    assert sorted(path.name for path in Path("out").iterdir()) == ["evaluation.json", "evaluation.md"]


@pytest.mark.slow
def test_small_tables_with_text_and_gaps_are_compared_and_evaluated() -> None:
    rows = [f"{size},{'Bern' if size % 2 else ''},{3 * size + 10}" for size in range(20, 31)]
    Path("small.csv").write_text("\n".join(["size,town,price", ",Bern,80", *rows]))
    options = ["--data", "small.csv", "--target", "price", "--model", "linear", "--tasks", "5"]
    result = CliRunner().invoke(main, ["eval", *options])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("12 rows, predicted in 5 parts, each from the others:\n  price ")
    assert "of price." in result.stdout
    assert "data " in result.stdout
    assert not Path("out").exists()
    too_long = CliRunner().invoke(main, ["eval", *options, "--curve", "2,12"])
    assert (too_long.exit_code, too_long.stdout) == (2, "")
    assert "--curve: has 12 observations, and a task 3 queries (--queries); the table has 12 rows" in too_long.stderr


@pytest.mark.slow
def test_classes_are_compared_only() -> None:
    rows = [f"{size},{'large' if size > 7 else 'small'}" for size in range(16)]
    Path("classes.csv").write_text("\n".join(["size,class", *rows]))
    options = ["--data", "classes.csv", "--target", "class", "--model", "classifier"]
    result = CliRunner().invoke(main, ["eval", *options])
    assert result.exit_code == 0, result.output
    assert "of the classes are right" in result.stdout
    assert "Leave them out." in CliRunner().invoke(main, ["eval", *options, "--out", "out"]).stderr
