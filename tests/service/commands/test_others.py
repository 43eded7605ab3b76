"""`gdssm models` and `gdssm bench`, and the error for a missing library."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.commands.predict import command as predict
from tests.running import ROOT, Server


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.slow
def test_models_lists_the_shipped_models(server: Server) -> None:
    shipped = run("models")
    assert run("models", "--url", server.url).stdout == shipped.stdout
    answer = run("bench", "--url", server.url, "--seconds", "0.05", "--concurrency", "2").stdout
    header, *rows = shipped.stdout.splitlines()
    assert header.split() == ["name", "version", "task", "origin", "x", "y", "steps", "summary"]
    (default,) = (row for row in rows if " * " in row)
    assert re.match(r"nonlinear \* +1\.0\.0 +regression +constructed +any +any +0 ", default)
    assert re.fullmatch(r"\d+ requests in [\d.]+ s: \d+ a second; p50 [\d.]+ ms, p90 .* ms, p99 .* ms\n", answer)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("library", "arguments", "extra"),
    [
        ("httpx", ["models"], "client"),
        ("httpx", ["bench"], "client"),
        ("narwhals", ["eval", "--model", "linear", "--out", "out"], "client"),
        ("redis", ["ingest", "redis://h/0", "--stream", "a", "--by", "b", "--target", "y"], "ingest"),
        ("pyarrow", ["predict", "a.parquet", "b.parquet", "--target", "y"], "tables"),
    ],
)
def test_missing_library_error_names_the_extra(library: str, arguments: list[str], extra: str) -> None:
    code = f"import sys; sys.modules[{library!r}] = None; from service.cli import main; main({arguments!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.match(rf"Error: [\w ]+ needs? {library}", done.stderr)
    assert done.stderr.endswith(f"Install it with: pip install 'gdssm[{extra}]'\n")
    assert done.stderr.count("\n") == 1


def test_csv_and_parquet_chunks_give_the_same_predictions(tmp_path: Path) -> None:
    context, query, out = tmp_path / "c.csv", tmp_path / "q.csv", tmp_path / "p.csv"
    context.write_text("a,y\n" + "".join(f"{i},{3 * i + i % 2}\n" for i in range(50)))
    query.write_text("a\n" + "".join(f"{i / 2}\n" for i in range(21)))
    command = ["predict", str(context), str(query), "--target", "y", "--model", "linear"]
    whole = run(*command).stdout
    assert run(*command, "--chunk-rows", "7", "--out", str(out)).exit_code == 0
    found, expected = (list(map(float, text.splitlines()[1:])) for text in (out.read_text(), whole))
    assert found == pytest.approx(expected, rel=1e-9)
    assert len(found) == 21
    assert predict.name == "predict"


@pytest.mark.slow
def test_progress_bar_needs_a_terminal() -> None:
    assert run("predict", "--help").exit_code == 0
    assert run("models").stderr == "* default model; x and y: numbers of columns\n"


@pytest.mark.slow
def test_ctrl_c_ends_without_a_traceback(tmp_path: Path) -> None:
    pipe = tmp_path / "endless.csv"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "service", "predict", str(pipe), str(pipe), "--target", "y"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process, pipe.open("w"):
        errors = None
        time.sleep(1)  # the pipe is open; soon the command has loaded what it needs, and reads
        for _ in range(9):  # a signal just before the call that reads does not interrupt it
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                _, errors = process.communicate(timeout=10)
                break
    assert process.returncode == 1
    assert (errors or "").strip() == "Aborted!"
