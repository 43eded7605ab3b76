"""A service that wants keys, for clients that others wrote or generated."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.running import ROOT, running


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
