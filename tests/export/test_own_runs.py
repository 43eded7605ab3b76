"""A training run becomes a served model by the three commands of the science's README."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest
import torch

from export.__main__ import main
from export.trained import load
from tests.running import ROOT, running

COMMANDS = re.search(
    r"From a training run to a served model:\n\n```sh\n(.*?)```", (ROOT / "gdssm/README.md").read_text(), re.DOTALL
)

RNG = np.random.default_rng(7)
X, QUERY = RNG.uniform(-1, 1, (10, 4)), RNG.uniform(-1, 1, (1, 4))
Y = X @ [1.0, -0.5, 0.25, 2.0]


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def ask(url: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401  (any JSON)
    content = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, content, {"Content-Type": "application/json"})) as answer:  # noqa: S310
        return json.load(answer)


@pytest.mark.slow
def test_three_commands_of_the_readme_serve_a_model_of_ones_own(tmp_path: Path) -> None:
    assert COMMANDS is not None
    train, export, serve = COMMANDS[1].strip().splitlines()
    for line in (train, export):
        python, *command = shlex.split(line)
        assert python == "python"
        done = run(tmp_path, *command)
        assert done.returncode == 0, done.stderr
    assert serve == "GDSSM_MODELS=models gdssm serve"
    stack = load(tmp_path / "runs/mine")
    with torch.no_grad():
        expected = float(stack(*(torch.tensor(part[None], dtype=torch.float32) for part in (X, Y[:, None], QUERY))))
    with running(GDSSM_MODELS=str(tmp_path / "models")) as server:
        body = {"model": "mine", "context": {"x": X.tolist(), "y": Y.tolist()}, "query": QUERY.tolist()}
        assert ask(f"{server.url}/v1/predict", body)["prediction"] == [pytest.approx(expected, rel=1e-4)]
        (model,) = [model for model in ask(f"{server.url}/v1/models")["models"] if model["name"] == "mine"]
    assert model["origin"] == "trained"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["linear-10step-trained"])
def test_runs_of_many_layers_can_be_exported(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, "-m", "export", "--run", str(ROOT / "gdssm/runs" / name), "--name", "deep", "--out", "models")
    assert done.returncode == 0, done.stderr
    assert "verified" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--run", "nowhere", "--name", "mine", "--out", "models"], "nowhere is not the directory of a finished run"),
        (["--run", "{runs}/linear-trained", "--name", "linear-trained", "--out", "models"], "is a model that ships"),
        (["--run", "{runs}/linear-trained", "--out", "models"], "--run takes --name and --out"),
        (["--run", "{runs}/linear-trained", "--name", "Mine", "--out", "models"], "--name: String should match"),
        (["--run", "{runs}/linear-trained", "--name", "a", "--version", "1", "--out", "m"], "--version: String should"),
        (["no-such-model"], "no model no-such-model; choose from"),
    ],
    ids=["no run", "name of the zoo", "no name", "bad name", "bad version", "no model"],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["export", *(option.format(runs=ROOT / "gdssm/runs") for option in options)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.rglob("*.onnx"))
