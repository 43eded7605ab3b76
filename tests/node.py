"""Packages of npm; tests that need them are skipped if they cannot be installed."""

import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from tests.running import ROOT

WEB = ROOT / "service/web"
"""What builds and checks the page."""
TYPESCRIPT = ROOT / "tests/clients/typescript"
"""What generates and compiles a client in TypeScript."""


def packages(folder: Path) -> Path:
    """Return the packages of a folder, installed as its lock file has them."""
    modules = folder / "node_modules"
    if not modules.is_dir():
        _install(folder, modules)
    return modules


def node() -> str:
    """Return the program."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed: apt-get install npm")
    return found


def _install(folder: Path, modules: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: apt-get install npm")
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(folder / name, directory)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            pytest.skip(f"npm ci: {done.stderr[-300:]}")
        with suppress(OSError):  # another process was faster
            (Path(directory) / "node_modules").rename(modules)
