import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import COMMANDS, main
from tests.closeness import assert_close

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("context.csv").write_text("size,rooms,n,price\n10,1,1,21\n20,2,1,41\n30,4,2,61\n40,3,1,81\n")
    Path("query.csv").write_text("rooms,size\n1,15\n2,100\n")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def predict(*arguments: str) -> Result:
    return run("predict", "context.csv", "query.csv", "--target", "price", "--weight", "n", *arguments)


def refusal(result: Result) -> str:
    """A mistake is reported in one line on stderr, with exit code 2."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def column(text: str) -> list[float]:
    header, *lines = text.splitlines()
    assert header == "price"
    return list(map(float, lines))


def test_predictions_are_printed_under_the_name_of_the_target() -> None:
    Path("context.csv").write_text("size,price\n10,21\n20,41\n30,61\n")
    Path("query.csv").write_text("size\n15\n100\n")
    result = run("predict", "context.csv", "query.csv", "--target", "price", "--model", "linear", "--version", "1.0.0")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert_close(column(result.stdout), [31.0, 201.0], "price", rtol=1e-9)


@pytest.mark.slow
def test_model_weight_and_parameter_change_the_answer() -> None:
    options = [(), ("--model", "gd-1"), ("--model", "gd-1", "--parameter", "learning_rate=0.0001")]
    answers = [tuple(column(predict(*option).stdout)) for option in options]
    assert len(set(answers)) == 3


@pytest.mark.slow
def test_predictions_can_go_to_a_file() -> None:
    expected = predict().stdout
    result = predict("--out", "predicted.csv")
    assert (result.exit_code, result.stdout) == (0, "")
    assert Path("predicted.csv").read_text() == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "cubic"], "no model 'cubic'. Choose one of: classifier, gd-1, gd-8, linear"),
        (["--parameter", "learning_rate"], "must be NAME=NUMBER, such as learning_rate=0.1; this is 'learning_rate'."),
        (["--parameter", "learning_rate=fast"], "this is 'learning_rate=fast'."),
        (["--parameter", "learning_rate=nan", "--model", "gd-1"], "must be greater than 0; this is nan."),
        (["--parameter", "momentum=1"], "parameters.momentum: is not a parameter of model nonlinear"),
        (["--out", "not/there.csv"], "cannot be written (No such file or directory)."),
        (["--weight", "size"], "query.csv: has no column 'n'"),
        (["--colour", "red"], "See `main predict --help`."),
    ],
)
def test_invalid_options_are_reported_in_one_line(arguments: list[str], message: str) -> None:
    assert message in refusal(predict(*arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "context.csv", "query.csv"], "Missing option '--target'."),
        (["predict", "missing.csv", "query.csv", "--target", "price"], "missing.csv: cannot be read"),
        (["predict", "context.csv", "query.csv", "--target", "cost"], "context.csv: has no column 'cost'"),
        (["--colour"], "No such option '--colour'."),
        (["cook"], "No such command 'cook'."),
        (["serve", "--port", "99999"], "99999 is not in the range"),
    ],
)
def test_invalid_commands_are_reported_in_one_line(arguments: list[str], message: str) -> None:
    assert message in refusal(run(*arguments))


@pytest.mark.slow
def test_control_characters_in_file_names_are_escaped() -> None:
    name = "context\nError: FORGED\x1b[2J.csv"
    Path(name).write_text("size,price\n10,20\n")
    error = refusal(run("predict", name, name, "--target", "cost"))
    assert r"context\nError: FORGED\x1b[2J.csv" in error
    assert error.removesuffix("\n").isprintable()


def test_all_problems_of_columns_are_reported_in_one_line() -> None:
    Path("context.csv").write_text("size,town,price\n10,Bern,20\nx,Basel,30\ny,Chur,40\nz,Bern,50\n")
    kinds = ["--kind", "size=number", "--kind", "town=time"]
    error = refusal(run("predict", "context.csv", "--target", "price", *kinds))
    assert "column 'size': cannot be read as numbers: 'x' (line 3) is none." in error
    assert "column 'town': cannot be read as times: 'Bern' (line 2) is none." in error


def test_wrong_settings_are_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_THREADS", "0")
    assert "GDSSM_THREADS: " in refusal(predict())
    assert "GDSSM_THREADS: " in refusal(run("serve"))


def test_empty_zoo_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GDSSM_ZOO", str(tmp_path))
    assert "The default model 'nonlinear' is not loaded" in refusal(predict())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example_of_each_command(command: str) -> None:
    example = f"gdssm {command} "
    assert example in run("--help").stdout
    assert example in run(command, "--help").stdout


def test_the_version_is_that_of_the_distribution() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"gdssm {metadata.version('gdssm')}\n"


@pytest.mark.slow
def test_module_runs_and_a_closed_pipe_is_no_failure() -> None:
    command = [sys.executable, "-m", "service", "predict", "context.csv", "query.csv", "--target", "price"]
    Path("query.csv").write_text("rooms,size,n\n" + "1,15,1\n" * 50_000)
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "price\n"
    process.stdout.close()
    with process.stderr:
        assert "Traceback" not in process.stderr.read()
    process.wait()
