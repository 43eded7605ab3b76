"""Unmodified third-party clients against a running service with keys."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.running import ROOT, running

PYTHON = Path(os.environ.get("CLIENTS_PYTHON", ROOT / ".venv-clients/bin/python"))
"""A separate environment, because kserve needs older versions of packages that this project uses."""
CHECKS = {
    "with_tritonclient": 13,
    "with_kserve": 9,
}
"""How many things each script tries."""

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(),
    reason=f"{PYTHON} is missing: make .venv-clients/ready, or set CLIENTS_PYTHON",
)


@dataclass(frozen=True)
class Guarded:
    """A service that wants keys, and two of them."""

    url: str
    key: str
    admin_key: str


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    environment = {"GDSSM_DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('keys')}/gdssm.db", "GDSSM_AUTH": "on"}
    key, admin_key = (_make_key(environment, *options) for options in ([], ["--admin"]))
    with running(**environment) as server:
        yield Guarded(server.url, key, admin_key)


def _make_key(environment: dict[str, str], *options: str) -> str:
    command = [sys.executable, "-m", "service", "keys", "create", "client", *options]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("script", CHECKS)
def test_unmodified_client_passes_all_its_checks(guarded: Guarded, script: str) -> None:
    command = [str(PYTHON), f"{script}.py", guarded.url, guarded.key, guarded.admin_key]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    failed = {check: trouble for check, trouble in found.items() if trouble}
    assert not failed, "\n".join(f"{check}: {trouble}" for check, trouble in failed.items())
    assert len(found) == CHECKS[script]
