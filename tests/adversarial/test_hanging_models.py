"""Model files that hang while loading delay the start by at most one time limit, and liveness not at all."""

import os
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from service.registry.repository import FIRST_SCAN_TIMEOUT
from tests.adversarial.attacks import eventually
from tests.running import ROOT, SERVE, free_port
from tests.service.forged import endless

pytestmark = pytest.mark.adversarial

MODELS = 10
LOADING = 60.0
"""Seconds for everything else that the start does, on a machine that does much else."""


def status(url: str, probe: str) -> int:
    try:
        return httpx.get(f"{url}/health/{probe}", timeout=5).status_code
    except httpx.TransportError:
        return 0


@pytest.mark.slow
def test_service_is_live_while_models_hang_and_ready_within_the_time_limit(tmp_path: Path) -> None:
    models, port = tmp_path / "models", free_port()
    models.mkdir()
    content = endless(tmp_path / "endless.onnx")
    for i in range(MODELS):
        (models / f"{i}.onnx").write_bytes(content)
    variables = {"GDSSM_MODELS": str(models), "GDSSM_DATABASE_URL": f"sqlite:///{tmp_path}/gdssm.db"}
    url, command = f"http://127.0.0.1:{port}", [*SERVE, "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **variables}, stderr=subprocess.DEVNULL) as process:
        try:
            assert eventually(lambda: status(url, "live") == 200, LOADING)
            assert status(url, "ready") == 503
            begun = time.monotonic()
            assert eventually(lambda: status(url, "ready") == 200, FIRST_SCAN_TIMEOUT + LOADING)
            assert time.monotonic() - begun < MODELS * 10  # the sum of all
        finally:
            process.kill()
