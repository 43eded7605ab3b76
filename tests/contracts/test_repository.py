"""The files around the project: licence, workflow, issue forms, metadata of the package."""

import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import LONGEST
from tests.running import ROOT

SCHEMAS = {
    ".github/workflows/ci.yml": "github-workflows",
    ".github/actions/evaluate/action.yml": "github-actions",
    ".github/dependabot.yml": "dependabot",
    ".github/ISSUE_TEMPLATE/config.yml": "github-issue-config",
    ".github/ISSUE_TEMPLATE/bug.yml": "github-issue-forms",
    ".github/ISSUE_TEMPLATE/feature.yml": "github-issue-forms",
}


@pytest.mark.parametrize("path", SCHEMAS)
def test_a_file_for_the_hosting_platform_follows_its_schema(path: str) -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", f"vendor.{SCHEMAS[path]}", ROOT / path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_licence_is_the_text_of_apache_2() -> None:
    text = (ROOT / "LICENSE").read_bytes()
    assert hashlib.sha256(text).hexdigest() == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"


def test_the_workflow_runs_what_runs_before_a_change_lands() -> None:
    assert "run: bash .ci/run" in (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    script = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert script[-2:] == ["make check", "make test"]


def test_the_changelog_has_a_section_for_the_next_version() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_files_that_begin_first_exist() -> None:
    assert [file for file in LONGEST if not (ROOT / "tests" / file).exists()] == []
