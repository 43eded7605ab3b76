"""The action for workflows of GitHub: its steps run, here as a runner would run them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contracts.documents import blocks
from tests.nonempty import nonempty
from tests.running import ROOT, running

PATH = ROOT / ".github/actions/evaluate"
ACTION: dict[str, Any] = yaml.safe_load((PATH / "action.yml").read_text())
INSTALL, EVALUATE = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{ inputs\.([\w-]+) \}\}")
PIP = """#!/bin/sh
printf '%s\\n' "$@" > pip.txt
"""


class Job:
    """The working directory of a job, and the files that a runner reads after each step."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._summary, self._output = directory / "summary.md", directory / "output.txt"

    def run(self, step: dict[str, Any], **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run a step as the shell `bash` of a runner does; hyphens of inputs are underscores here."""
        given = {name: entry.get("default", "") for name, entry in ACTION["inputs"].items()}
        given |= {"python": sys.executable} | {name.replace("_", "-"): value for name, value in inputs.items()}
        variables = {name: EXPRESSION.sub(lambda found: given[found[1]], text) for name, text in step["env"].items()}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GDSSM_")}
        environment = {
            **inherited,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'clients/python'}",
            "GITHUB_ACTION_PATH": str(PATH),
            "GITHUB_STEP_SUMMARY": str(self._summary),
            "GITHUB_OUTPUT": str(self._output),
            **variables,
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        return subprocess.run(
            command, cwd=self.directory, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    @property
    def summary(self) -> str:
        return self._summary.read_text() if self._summary.exists() else ""

    @property
    def outputs(self) -> dict[str, str]:
        lines = self._output.read_text().splitlines() if self._output.exists() else []
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_inputs_are_used_and_scripts_have_no_expressions() -> None:
    texts = [text for step in ACTION["runs"]["steps"] for text in step["env"].values()]
    assert {name for text in texts for name in EXPRESSION.findall(text)} == ACTION["inputs"].keys()
    for step in nonempty(ACTION["runs"]["steps"]):
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


def test_documented_workflow_uses_inputs_that_exist() -> None:
    (block,) = [block for block in blocks(ROOT / "docs/evaluations.md") if block.language == "yaml"]
    steps = yaml.safe_load(block.code)["steps"]
    (given,) = [step["with"] for step in steps if "/.github/actions/evaluate@" in step["uses"]]
    assert {"models", "fail-if", "baseline"} <= given.keys() <= ACTION["inputs"].keys()


def test_gdssm_of_the_repository_of_the_action_is_installed(job: Job) -> None:
    python = job.directory / "python"
    python.write_text(PIP)
    python.chmod(0o755)
    assert job.run(INSTALL, python=str(python)).returncode == 0
    *options, requirement = (job.directory / "pip.txt").read_text().splitlines()
    assert options == ["-m", "pip", "install", "--quiet"]
    path, _, extras = requirement.partition("[")
    assert (Path(path).resolve() / "pyproject.toml").is_file()
    assert extras == "client,plot,sklearn,tables]"


@pytest.mark.slow
def test_met_condition_fails_the_step_and_the_report_is_shown(job: Job) -> None:
    sizes = {"models": "linear gd-1", "tasks": "3", "suite": "practical"}
    conditions = "linear.r2 < -9\n\n  gd-1@noisy.r2 < 2  \n"
    with running() as server:
        done = job.run(EVALUATE, url=server.url, fail_if=conditions, **sizes)
        assert (done.returncode, done.stderr.count("Failed: ")) == (1, 1), done.stderr
        assert "Failed: gd-1@noisy.r2 is" in done.stderr
        assert job.outputs == {"report": "evaluation/evaluation.json"}
        report = json.loads((job.directory / job.outputs["report"]).read_text())
        assert [model["name"] for model in report["models"]] == ["linear", "gd-1"]
        assert "| linear |" in job.summary
        (job.directory / "evaluation" / "evaluation.json").rename(job.directory / "last.json")
        again = job.run(EVALUATE, url=server.url, fail_if="linear.r2 < -9", baseline="last.json", **sizes)
        assert again.returncode == 0, again.stderr


@pytest.mark.slow
def test_text_of_an_input_is_not_executed(job: Job) -> None:
    done = job.run(EVALUATE, models="linear", tasks="3", fail_if='$(touch pwned) "; touch pwned; `touch pwned`')
    assert done.returncode == 2
    assert "--fail-if: must be like" in done.stderr
    assert (job.summary, job.outputs) == ("", {})
    assert not (job.directory / "pwned").exists()
