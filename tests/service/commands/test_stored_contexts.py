"""`gdssm contexts observe, list, show, delete, export, import` with a running service."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from gdssm_client import Client
from service.cli import main
from tests.closeness import assert_close
from tests.running import ROOT, Server
from tests.service.ingest.streams import Row, readings

ARGUMENTS = ("--by", "device", "--target", "power")
NUMBERS = count()


@pytest.fixture
def rows() -> list[Row]:
    """Rows of devices that no other test has."""
    number = next(NUMBERS)
    return [{**row, "device": f"{number} {row['device']}"} for row in readings(number, 40)]


def write(path: Path, rows: list[Row]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def contexts(server: Server, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["contexts", *map(str, arguments), "--url", server.url])


def counts(server: Server, names: set[str]) -> dict[str, int]:
    with Client(server.url) as client:
        return {name: client.contexts.find(name).record.n_observations for name in names}


def devices(rows: list[Row]) -> Counter[str]:
    return Counter(str(row["device"]) for row in rows)


@pytest.mark.parametrize("chunk", [3, 40])
def test_each_row_is_learnt_once_by_the_context_of_its_name(
    server: Server, tmp_path: Path, rows: list[Row], chunk: int
) -> None:
    path = write(tmp_path / "rows.csv", rows)
    for _ in range(2):
        done = contexts(server, "observe", path, *ARGUMENTS, "--model", "linear", "--chunk-rows", chunk)
        assert done.exit_code == 0, done.output
        assert done.stdout == "Learnt 40 rows in 3 contexts, refused 0.\n"
        assert counts(server, {*devices(rows)}) == devices(rows)


def test_predictions_are_those_of_the_same_rows_observed_at_once(
    server: Server, tmp_path: Path, rows: list[Row]
) -> None:
    contexts(server, "observe", write(tmp_path / "rows.csv", rows), *ARGUMENTS, "--model", "linear", "--chunk-rows", 7)
    name = str(rows[0]["device"])
    own = [row for row in rows if row["device"] == name]
    x, y = ([[float(str(row[c])) for c in columns] for row in own] for columns in (["temp", "humidity"], ["power"]))
    with Client(server.url) as client, Client() as here:
        found = client.contexts.find(name)
        assert found.record.columns is not None
        assert found.record.columns.x == ("temp", "humidity")
        expected = here.contexts.create("linear")
        expected.observe(x, np.ravel(y))
        query = [[20.0, 50.0], [25.0, 40.0]]
        assert_close(found.predict(query).prediction, expected.predict(query).prediction, "prediction", rtol=1e-9)


def test_rows_that_are_refused_leave_the_others(server: Server, tmp_path: Path, rows: list[Row]) -> None:
    contexts(server, "observe", write(tmp_path / "first.csv", rows), *ARGUMENTS, "--model", "linear")
    far = {**rows[0], "temp": "1e13"}
    without_name, without_target = {**rows[0], "device": ""}, {**rows[0], "power": ""}
    path = write(tmp_path / "second.csv", [*rows[:5], far, without_name, without_target, *rows[5:]])
    done = contexts(server, "observe", path, *ARGUMENTS)
    assert done.exit_code == 0, done.output
    assert done.stdout == "Learnt 40 rows in 3 contexts, refused 1.\n"
    assert "row 6 (" in done.stderr
    assert "1 rows without the name of a context" in done.stderr
    assert counts(server, {*devices(rows)}) == {name: 2 * count for name, count in devices(rows).items()}


def test_gaps_and_weights_are_those_of_the_table(server: Server, tmp_path: Path, rows: list[Row]) -> None:
    rows = [{**row, "w": 2, "temp": "" if i == 7 else row["temp"]} for i, row in enumerate(rows)]
    path = write(tmp_path / "rows.csv", rows)
    done = contexts(server, "observe", path, *ARGUMENTS, "--weight", "w", "--decay", "0.9", "--ttl", "500")
    assert done.exit_code == 0, done.output
    with Client(server.url) as client:
        record = client.contexts.find(str(rows[7]["device"])).record
    assert (record.decay, record.ttl) == (0.9, 500)


@pytest.mark.slow
def test_a_killed_run_is_started_again(server: Server, tmp_path: Path, rows: list[Row]) -> None:
    path = write(tmp_path / "rows.csv", rows * 20)
    names = {*devices(rows)}
    command = [sys.executable, "-m", "service", "contexts", "observe", str(path), *ARGUMENTS, "--chunk-rows", "2"]
    command += ["--model", "linear", "--url", server.url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not contexts(server, "show", min(names)).stdout:
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGKILL)
    assert subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.startswith(b"Learnt 800 rows")
    assert counts(server, names) == {name: 20 * count for name, count in devices(rows).items()}


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({"site": "north"}, (), "ingest --kind"),
        ({}, ("--weight", "no"), "no"),
        ({}, ("--model", "no such"), "no such"),
        ({}, ("--task", "classification"), "--task classification"),
        ({}, ("--chunk-rows", "0"), "--chunk-rows"),
    ],
)
def test_tables_and_options_that_do_not_fit_are_exit_code_2(
    server: Server, tmp_path: Path, rows: list[Row], change: Row, arguments: tuple[str, ...], message: str
) -> None:
    rows = [{**row, **{name: f"{value} {i % 2}" for name, value in change.items()}} for i, row in enumerate(rows)]
    done = contexts(server, "observe", write(tmp_path / "rows.csv", rows), *ARGUMENTS, *arguments)
    assert done.exit_code == 2, done.output
    assert message in done.stderr.splitlines()[-1]


def test_pipe_whose_rows_would_be_read_twice_is_exit_code_2(server: Server, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = contexts(server, "observe", tmp_path / "pipe", *ARGUMENTS)
    assert done.exit_code == 2, done.output
    assert "is a pipe or a device, which is read once. Name a file." in done.stderr


def test_contexts_are_those_of_a_service() -> None:
    done = CliRunner().invoke(main, ["contexts", "list"])
    assert done.exit_code == 2
    assert "--url" in done.stderr


def test_a_context_is_listed_shown_moved_and_deleted(server: Server, tmp_path: Path) -> None:
    with Client(server.url) as client:
        context = client.contexts.by_name("pump/1 é", "linear", labels={"site": "berlin: north"})
    listed = contexts(server, "list", "--label", "site:berlin: north").stdout
    assert listed == f"{context.id}  linear 2.0.0                   0  pump/1 é\n"
    for name in (context.id, "pump/1 é"):
        assert json.loads(contexts(server, "show", name).stdout)["id"] == context.id
    file = tmp_path / "context.safetensors"
    assert contexts(server, "export", "pump/1 é", "--out", file).exit_code == 0
    assert contexts(server, "export", "pump/1 é").stdout_bytes == file.read_bytes()
    copy = contexts(server, "import", file, "--name", "copy").stdout.strip()
    assert json.loads(contexts(server, "show", "copy").stdout)["id"] == copy
    for name in ("copy", context.id):
        assert contexts(server, "delete", name).exit_code == 0
        missing = contexts(server, "show", name)
        assert missing.exit_code == 2
        assert missing.stderr.startswith("Error: ")
