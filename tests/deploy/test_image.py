"""The Dockerfile's own commands, in a clean environment: they install, start and check the service."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.deploy.dockerfile import OWNER, Image, copied, instructions
from tests.running import ROOT

LINE = {"model": "linear", "version": "1.0.0", "context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4], [5]]}
HEAVY = "torch|onnx|onnxscript|pandas|scipy|sklearn|pytest|mypy|ruff"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Build it once; this installs from the package index, as an image build does."""
    image = Image(tmp_path_factory.mktemp("image"), Path(sys.executable).resolve())
    image.build("service")
    return image


@contextmanager
def started(image: Image) -> Iterator[tuple["subprocess.Popen[str]", dict[str, str]]]:
    """Start the container's command on a free port; it runs when it says so, and is stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = {"GDSSM_PORT": str(free.getsockname()[1])}
    process = image.run([*image.entrypoint, *image.command], **port)
    try:
        assert process.stderr is not None
        log = ""
        for line in process.stderr:
            log += line
            if "running on" in line:
                break
        else:
            raise AssertionError(log)
        yield process, port
    finally:
        process.kill()
        process.communicate()


def output(process: "subprocess.Popen[str]") -> str:
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    return stdout


def test_the_image_has_the_service_and_nothing_heavy(image: Image) -> None:
    packages = output(image.run(["python", "-m", "pip", "list", "--format", "json"]))
    names = {package["name"].lower() for package in json.loads(packages)}
    assert {"gdssm", "fastapi", "onnxruntime", "psycopg"} <= names
    assert not [name for name in names if re.fullmatch(HEAVY, name)]


def test_it_installs_the_versions_that_were_tested(image: Image) -> None:
    constraints = dict(line.lower().split("==") for line in (ROOT / "constraints.txt").read_text().split())
    packages = json.loads(output(image.run(["python", "-m", "pip", "list", "--format", "json"])))
    installed = {package["name"].lower(): package["version"] for package in packages}
    for name in ("fastapi", "onnxruntime", "numpy", "uvicorn", "sqlalchemy"):
        assert installed[name] == constraints[name]


def test_it_starts_answers_checks_its_health_and_writes_only_to_its_volumes(image: Image) -> None:
    before = image.files()
    key = output(image.run([*image.entrypoint, "keys", "create", "someone"])).strip()
    with started(image) as (process, port):
        url = f"http://127.0.0.1:{port['GDSSM_PORT']}"
        assert httpx.get(f"{url}/health/ready").status_code == 200
        assert httpx.post(f"{url}/v1/predict", json=LINE).status_code == 401
        answer = httpx.post(f"{url}/v1/predict", json=LINE, headers={"Authorization": f"Bearer {key}"})
        assert answer.json()["prediction"] == pytest.approx([8, 10])
        output(image.run(image.healthcheck, **port))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    with image.run(image.healthcheck, **port) as check:
        assert check.wait(timeout=20) == 1
    assert image.files() == before
    assert (image.root / "data" / "gdssm.db").exists()


def test_every_copied_path_is_in_the_build_context() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines  # everything else is left out
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert copied() == allowed


@pytest.mark.parametrize("stage", ["service", "science"])
def test_an_image_runs_as_a_user_without_rights_by_number(stage: str) -> None:
    last = instructions(stage)
    assert last["USER"] == f"{OWNER}:{OWNER}"
    assert json.loads(last["CMD"])  # in exec form, so that signals reach the service


def test_the_version_on_the_label_is_that_of_the_project() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f'image.version="{version[1]}"' in instructions("service")["LABEL"]
