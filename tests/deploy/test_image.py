"""The image is built from the Dockerfile, and containers of it run with the restrictions of docker-compose.yml."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from dockerfile_parse import DockerfileParser

from service.settings import Settings
from tests.contracts.documents import blocks
from tests.deploy import compose, containers
from tests.deploy.containers import Container
from tests.postgres import Postgres
from tests.running import ROOT, free_port
from tests.service.in_process import in_process

DOCKERFILE = DockerfileParser(str(ROOT / "Dockerfile")).structure
OWNER = "10001"
LINE = {"model": "linear", "version": "1.0.0", "context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4], [5]]}
HEAVY = "torch|onnx|onnxscript|pandas|scipy|sklearn|scikit-learn|pytest|mypy|ruff|pip|setuptools"
VERSIONS = (
    "import importlib.metadata as m, json; print(json.dumps({d.name.lower(): d.version for d in m.distributions()}))"
)
SIZE_LIMIT = 750e6
"""Bytes. 619 MB with the stand-in for the base image, which has 172 MB; pyarrow has 170 MB and onnxruntime 68 MB."""
CONTAINER = pytest.mark.usefixtures("image")
STOP_TIMEOUT = 20.0
"""Seconds from SIGTERM to the end of a container without requests."""
PAGE = ROOT / "docs/operating.md"
PRINTED = [
    block.code
    for block in blocks(PAGE)
    if block.language == "bash" and re.search("^(docker|podman) run", block.code, re.MULTILINE)
]
"""Blocks of commands that build the image and start a container of it."""
PODMAN = """#!/usr/bin/env bash
if [ "$1" = run ]; then shift; set -- run HOST "$@"; fi
exec COMMAND "$@"
"""
"""As a root in a container needs it, with the images of the tests."""
DOCKER = """#!/usr/bin/env bash
if [ "$*" = "build --tag $3 ." ]; then exec PYTHON deploy/build_image.py --tag "$3"; fi
exec podman "$@"
"""
"""A stand-in that builds as `make image` does, because no registry may be in reach, and else calls podman."""


@pytest.fixture(scope="module")
def image() -> dict[str, Any]:
    containers.build()
    return containers.image()


@contextmanager
def running(port: int, **environment: str) -> Iterator[Container]:
    """Start a healthy container as docker-compose.yml restricts it, with empty volumes."""
    with ExitStack() as stack:
        volumes = {name: stack.enter_context(containers.volume()) for name in ("data", "models")}
        options = compose.podman_options("service", volumes)
        container = stack.enter_context(containers.started(options, {"GDSSM_PORT": str(port), **environment}))
        container.wait_until_healthy()
        yield container


def predict(port: int, key: str | None = None) -> httpx.Response:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return httpx.post(f"http://127.0.0.1:{port}/v1/predict", json=LINE, headers=headers, timeout=30)


def predicted_in_process() -> list[float]:
    with in_process(Settings()) as client:
        prediction: list[float] = client.predict(LINE).json()["prediction"]
        return prediction


def scram_address(postgres: Postgres, password: str) -> str:
    """Empty the database and let a new user in by password alone; returns the address without the password."""
    address = postgres.empty_database()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS compose")
        connection.execute(f"CREATE ROLE compose LOGIN PASSWORD '{password}'")
        connection.execute("GRANT ALL ON SCHEMA public TO compose")
        (rules,) = connection.execute("SHOW hba_file").fetchone() or ("",)
        rule = "host all compose 127.0.0.1/32 scram-sha-256\n"
        with open(rules, "r+") as file:  # noqa: PTH123  (the server names it)
            kept = file.read().removeprefix(rule)
            file.seek(0)
            file.write(rule + kept)
        connection.execute("SELECT pg_reload_conf()")
    return urlsplit(address)._replace(netloc=f"compose@{urlsplit(address).netloc.rpartition('@')[2]}").geturl()


def test_image_runs_as_a_user_without_rights_and_keeps_its_data_in_volumes(image: dict[str, Any]) -> None:
    config = image["Config"]
    assert config["User"] == f"{OWNER}:{OWNER}"
    assert config["Volumes"].keys() == {"/data", "/models"}
    assert config["ExposedPorts"].keys() == {"8000/tcp"}
    assert [*config["Entrypoint"], *config["Cmd"]] == ["gdssm", "serve"]
    assert image["Healthcheck"]["Test"] == ["CMD", "python", "/opt/healthy.py"]


def test_image_is_no_larger_than_its_limit(image: dict[str, Any]) -> None:
    assert image["Size"] < SIZE_LIMIT


@CONTAINER
def test_container_serves_those_with_a_key_and_writes_only_to_its_volumes() -> None:
    port = free_port()
    with running(port) as container:
        assert container.output("id", "-u") == OWNER
        assert container.run("touch", "/opt/file").returncode != 0
        assert "Read-only" in container.run("touch", "/file", user="0").stderr
        assert container.run("touch", "/data/file", "/tmp/file").returncode == 0  # noqa: S108
        assert predict(port).status_code == 401
        key = container.output("gdssm", "keys", "create", "alice")
        answer = predict(port, key)
        assert answer.status_code == 200
        assert answer.json()["prediction"] == predicted_in_process()
        assert "gdssm.db" in container.output("ls", "/data").split()
        assert container.stop(STOP_TIMEOUT) == 0
        assert "Application shutdown complete" in container.log


@CONTAINER
def test_container_has_the_tested_versions_of_what_it_needs_and_no_more() -> None:
    constraints = dict(line.lower().split("==") for line in (ROOT / "constraints.txt").read_text().split())
    with running(free_port()) as container:
        installed: dict[str, str] = json.loads(container.output("python", "-c", VERSIONS))
        assert container.run("python", "-c", "import torch").returncode == 1
    assert not [name for name in installed if re.fullmatch(HEAVY, name)]
    for name in ("fastapi", "onnxruntime", "numpy", "uvicorn", "sqlalchemy", "psycopg", "pyarrow"):
        assert installed[name] == constraints[name]
    assert installed["gdssm"] in instructions("service")["LABEL"]


@CONTAINER
def test_container_that_drains_is_unhealthy_and_still_answers() -> None:
    port = free_port()
    with running(port, GDSSM_DRAIN_SECONDS="5", GDSSM_AUTH="off") as container:
        container.signal("TERM")
        container.wait_until_unhealthy()
        assert predict(port).status_code == 200
        assert container.wait(STOP_TIMEOUT) == 0


@CONTAINER
def test_container_runs_with_postgresql_and_the_settings_of_compose(postgres: Postgres) -> None:
    password = "of this test"  # noqa: S105  (of a server that only this test reaches)
    settings = compose.environment("service", {"POSTGRES_PASSWORD": password})
    settings["GDSSM_DATABASE_URL"] = scram_address(postgres, password)
    port = free_port()
    with running(port, **settings) as container:
        key = container.output("gdssm", "keys", "create", "alice")
        assert predict(port).status_code == 401
        assert predict(port, key).json()["prediction"] == predicted_in_process()
        assert container.output("ls", "/data") == ""  # everything is in PostgreSQL
        assert container.stop(STOP_TIMEOUT) == 0
        assert password not in container.log


@CONTAINER
@pytest.mark.parametrize("code", PRINTED, ids=lambda code: code.split()[0])
def test_printed_commands_build_the_image_and_start_a_service(code: str, tmp_path: Path) -> None:
    port = free_port()
    host = [*containers.HOST, f"--env=GDSSM_PORT={port}"]
    podman = PODMAN.replace("HOST", " ".join(host)).replace("COMMAND", containers.shell_command())
    for program, text in (("podman", podman), ("docker", DOCKER.replace("PYTHON", sys.executable))):
        (tmp_path / program).write_text(text)
        (tmp_path / program).chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "-euo", "pipefail", "-c", code]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        container = Container("gdssm")
        container.wait_until_healthy()
        created = [line for line in done.stdout.splitlines() if line.startswith("gdssm_")]
        key = created[0] if created else container.output("gdssm", "keys", "create", "alice")
        assert predict(port).status_code == 401
        assert predict(port, key).json()["prediction"] == predicted_in_process()
        assert container.inspect()["HostConfig"]["ReadonlyRootfs"]
    finally:
        containers.podman("rm", "--force", "--time=0", "gdssm", check=False)
        containers.podman("volume", "rm", "--force", "gdssm", check=False)


def test_every_copied_path_is_in_the_build_context() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines  # everything else is left out
    steps = [step["value"] for step in DOCKERFILE if step["instruction"] == "COPY"]
    copied = {source for value in steps if "--from=" not in value for source in value.split()[:-1]}
    assert copied == {line[1:] for line in lines if line.startswith("!")}


@pytest.mark.parametrize("stage", ["service", "science"])
def test_stage_ends_as_a_user_without_rights_by_number(stage: str) -> None:
    last = instructions(stage)
    assert last["USER"] == f"{OWNER}:{OWNER}"
    assert json.loads(last["CMD"])  # in exec form, so that signals reach the service


def test_version_on_the_label_is_that_of_the_project() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f'image.version="{version[1]}"' in instructions("service")["LABEL"]


def instructions(stage: str) -> dict[str, str]:
    """Read the last of each instruction of a stage, verbatim."""
    names = [step["value"].split()[-1] if step["instruction"] == "FROM" else "" for step in DOCKERFILE]
    begin = names.index(stage)
    end = next((place for place in range(begin + 1, len(names)) if names[place]), len(names))
    return {step["instruction"]: step["value"] for step in DOCKERFILE[begin:end]}
