"""A test that hangs is ended and reported by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT

SLOWEST = 200
"""Seconds that the slowest test takes on a machine with other work."""
HANGS = {
    "python": "import threading\n\ndef test_hangs():\n    threading.Event().wait()\n",
    # A signal's handler runs between bytecodes; inside of one that does not end, none does.
    "c": "import itertools\n\ndef test_hangs():\n    (1).__class__ in itertools.repeat(None)\n",
}
LIMITS = {"timeout": "1", "faulthandler_timeout": "3"}


def test_every_test_has_a_time_limit(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.hasplugin("timeout")
    limit = float(pytestconfig.getini("timeout"))
    assert 3 * SLOWEST <= limit <= 900
    assert limit < pytestconfig.getini("faulthandler_timeout") <= 960
    assert pytestconfig.getini("faulthandler_exit_on_timeout")


@pytest.mark.slow
@pytest.mark.parametrize("kind", HANGS)
def test_a_test_that_hangs_ends_and_is_named(tmp_path: Path, kind: str) -> None:
    (tmp_path / "test_it.py").write_text(HANGS[kind])
    options = [part for name, value in LIMITS.items() for part in ("-o", f"{name}={value}")]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [*command, str(tmp_path)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode not in {0, 5}
    assert "test_hangs" in done.stdout + done.stderr
    assert "imeout" in done.stdout + done.stderr
