"""Unmodified third-party clients against a running service with keys."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import Guarded
from tests.running import ROOT

PYTHON = Path(os.environ.get("CLIENTS_PYTHON", ROOT / ".venv-clients/bin/python"))
"""A separate environment, because kserve needs older versions of packages that this project uses."""
CHECKS = {
    "with_tritonclient": 13,
    "with_kserve": 9,
}
"""How many things each script tries."""
NEEDS_CLIENTS = pytest.mark.skipif(
    not PYTHON.exists(),
    reason=f"{PYTHON} is missing: make .venv-clients/ready, or set CLIENTS_PYTHON",
)


@NEEDS_CLIENTS
@pytest.mark.slow
@pytest.mark.parametrize("script", CHECKS)
def test_unmodified_client_passes_all_its_checks(guarded: Guarded, script: str) -> None:
    assert run_checks(script, guarded) == CHECKS[script]


def run_checks(script: str, guarded: Guarded, path: str = "") -> int:
    """Run the checks of a script, with a path of modules; returns how many there are, and fails if one does."""
    command = [str(PYTHON), f"{script}.py", guarded.url, guarded.key, guarded.admin_key]
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        command, cwd=Path(__file__).parent, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    failed = {check: trouble for check, trouble in found.items() if trouble}
    assert not failed, "\n".join(f"{check}: {trouble}" for check, trouble in failed.items())
    return len(found)
