"""The npm packages that build and check the page; tests that need them are skipped if they cannot be installed."""

import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from tests.running import ROOT

WEB = ROOT / "service/web"
MODULES = WEB / "node_modules"


def packages() -> Path:
    """Return the folder of the packages, installed as the lock file has them."""
    if not (MODULES / "esbuild").is_dir():
        _install()
    return MODULES


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: apt-get install npm")
    with tempfile.TemporaryDirectory(dir=WEB) as directory:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(WEB / name, directory)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            pytest.skip(f"npm ci: {done.stderr[-300:]}")
        with suppress(OSError):  # another process was faster
            (Path(directory) / "node_modules").rename(MODULES)
