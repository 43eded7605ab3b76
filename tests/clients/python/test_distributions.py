"""The wheels of the client and of the server, each installed into a clean environment."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contracts.documents import blocks
from tests.running import ROOT, Server

CLIENT = ROOT / "clients" / "python"
OTHER_SERVICE = "raise RuntimeError('this is the service of the user')"
LIGHT_LIMIT = 15_000_000
"""Bytes of the client with its dependencies except numpy, with compiled modules."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def installed(self) -> dict[str, int]:
        """Bytes of each top-level name."""
        return {path.name: size_of(path) for path in self.packages.iterdir()}


def size_of(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def built(source: Path, folder: Path) -> Path:
    pip("wheel", "--no-deps", "--wheel-dir", folder, source)
    (wheel,) = folder.glob("*.whl")
    return wheel


def installed(source: Path, folder: Path, options: Sequence[str]) -> Environment:
    wheel = built(source, folder / "wheel")
    environment = Environment(folder / "environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment.folder], check=True)
    pip("--python", environment.python, "install", *options, "--constraint", ROOT / "constraints.txt", wheel)
    return environment


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> tuple[Environment, Environment]:
    """The environments of the client and of the server."""
    folders = [tmp_path_factory.mktemp(name) for name in ("client", "server")]
    with ThreadPoolExecutor() as pool:
        client, server = pool.map(installed, [CLIENT, ROOT], folders, [[], ["--no-compile"]])
    return client, server


@pytest.fixture(scope="module")
def server(environments: tuple[Environment, Environment], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start the server's command in a project that has another package `service`."""
    project = tmp_path_factory.mktemp("project")
    (project / "service").mkdir()
    (project / "service" / "__init__.py").write_text(OTHER_SERVICE)
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables |= {"GDSSM_PORT": "0", "GDSSM_DATABASE_URL": f"sqlite:///{project}/gdssm.db", "GDSSM_WORKERS": "2"}
    command, log = [str(environments[1].folder / "bin" / "gdssm"), "serve"], project / "log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, cwd=project, env=variables, stderr=stderr, text=True) as process,
    ):
        server = Server(process, log)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def run(environment: Environment, code: str, folder: Path, **variables: str) -> str:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [str(environment.python), "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=folder, env=kept | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_client_of_the_readme_predicts_at_a_server_beside_another_service(
    environments: tuple[Environment, Environment], server: Server, tmp_path: Path
) -> None:
    example = next(block for block in blocks(CLIENT / "README.md") if block.language == "python")
    assert len([line for line in re.sub(r"\(\n\s+|\n\)", "", example.code).splitlines() if line]) == 3
    found = run(environments[0], example.code.replace("http://127.0.0.1:8000", server.url), tmp_path)
    prediction, lower, upper = (float(number) for number in re.findall(r"[\d.]+", found))
    assert lower < prediction < upper
    assert found == example.output


@pytest.mark.slow
def test_client_is_light(environments: tuple[Environment, Environment], tmp_path: Path) -> None:
    found = environments[0].installed()
    assert (environments[0].packages / "gdssm_client" / "py.typed").exists()
    assert {"gdssm_client", "httpx", "narwhals", "numpy"} <= found.keys()
    assert not {"onnxruntime", "fastapi", "sqlalchemy", "pydantic", "service", "gdssm"} & found.keys()
    assert sum(size for name, size in found.items() if not name.startswith("numpy")) < LIGHT_LIMIT
    without = "import gdssm_client\ntry:\n    gdssm_client.Client()\nexcept ValueError as error:\n    print(error)"
    assert "pip install '.[client]' in a checkout of gdssm" in run(environments[0], without, tmp_path)
    estimators = "try:\n    import gdssm_client.sklearn\nexcept ImportError as error:\n    print(error)"
    assert "pip install '.[client,sklearn]'" in run(environments[0], estimators, tmp_path)


def test_versions_of_both_distributions_are_equal() -> None:
    client, server = (tomllib.loads((folder / "pyproject.toml").read_text())["project"] for folder in (CLIENT, ROOT))
    assert client["version"] == server["version"]
    assert client["optional-dependencies"]["local"] == [f"gdssm=={server['version']}"]
    assert (CLIENT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.slow
def test_generated_modules_are_those_of_the_service() -> None:
    command = [sys.executable, ".ci/client_sources.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
