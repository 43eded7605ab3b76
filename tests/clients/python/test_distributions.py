"""The wheels of the client and of the server, each installed into a clean environment."""

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.contracts.documents import blocks, name
from tests.running import ROOT, Server

CLIENT = ROOT / "clients" / "python"
PAGES = [CLIENT / "README.md", ROOT / "docs" / "client.md"]
PIP = """#!/bin/sh
exec PYTHON -m pip --disable-pip-version-check --python ENVIRONMENT "$@"
"""
"""The program `pip` of an environment without pip."""
OTHER_SERVICE = "raise RuntimeError('this is the service of the user')"
LIGHT_LIMIT = 11_500_000
"""Bytes of the client with its dependencies except numpy, with compiled modules: 10.3 MB on 2026-11-28."""


ESTIMATORS = """
import pickle
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from gdssm_client.sklearn import GDSSMClassifier, GDSSMRegressor

x = [[float(i % 7), float(i * i % 11)] for i in range(50)]
y = [3 * first - second + 1 for first, second in x]
for options in ({}, {"decay": "auto"}):
    estimator = GDSSMRegressor("linear", url=URL, **options).fit(x[:40], y[:40])
    estimator = pickle.loads(pickle.dumps(estimator)).partial_fit(x[40:], y[40:])
    print(estimator.predict([[1, 2]]).round(2).tolist(), estimator.coef_.round(2).tolist())
estimator = GDSSMRegressor(url=URL).fit(x, y)
lower, upper = estimator.predict_interval([[1, 2]], 0.9)
print(bool(lower < estimator.predict([[1, 2]]) < upper), len(estimator.explain(0.9).effects.columns))
print(bool(cross_val_score(make_pipeline(StandardScaler(), estimator), x, y).min() > 0.9))
print(GDSSMClassifier(url=URL).fit(x, [value > 5 for value in y]).predict([[1, 9], [6, 0]]).tolist())
try:
    GDSSMRegressor().fit(x, y)
except ValueError as error:
    print(error)
"""
"""What an environment without the service does with estimators."""
ESTIMATED = r"""\[2\.0\] \[3\.0, -1\.0\]
\[2\.0\d*\] \[[23]\.\d+, -[01]\.\d+\]
True 2
True
\[False, True\]
service is not installed. Give the URL of a service, as GDSSMRegressor\(url='http://…'\); or install the service, .*
"""


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


class Environments(NamedTuple):
    client: Environment
    server: Environment
    estimators: Environment
    """Of the client with its extra `sklearn`."""


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


def empty(folder: Path) -> Environment:
    environment = Environment(folder / "environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment.folder], check=True)
    return environment


def installed(source: Path, extra: str, folder: Path) -> Environment:
    wheel, environment = built(source, folder / "wheel"), empty(folder)
    options = ["--no-compile", "--constraint", str(ROOT / "constraints.txt")]
    pip("--python", environment.python, "install", *options, f"{wheel}{extra}")
    return environment


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> tuple[Environment, float]:
    """Install the client as its pages say; returns the seconds that this took too."""
    environment = empty(tmp_path_factory.mktemp("client"))
    program = environment.folder / "bin" / "pip"
    program.write_text(PIP.replace("PYTHON", sys.executable).replace("ENVIRONMENT", str(environment.python)))
    program.chmod(0o755)
    (command,) = {block.code for page in PAGES for block in blocks(page) if block.language == "bash"}
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
    words = ["bash", "-c", command]
    begin = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return environment, time.monotonic() - begin


@pytest.fixture(scope="module")
def environments(client: tuple[Environment, float], tmp_path_factory: pytest.TempPathFactory) -> Environments:
    folders = [tmp_path_factory.mktemp(name) for name in ("server", "estimators")]
    with ThreadPoolExecutor() as pool:
        return Environments(client[0], *pool.map(installed, [ROOT, CLIENT], ["", "[sklearn]"], folders))


@pytest.fixture(scope="module")
def server(environments: Environments, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start the server's command in a project that has another package `service`."""
    project = tmp_path_factory.mktemp("project")
    (project / "service").mkdir()
    (project / "service" / "__init__.py").write_text(OTHER_SERVICE)
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables |= {"GDSSM_PORT": "0", "GDSSM_DATABASE_URL": f"sqlite:///{project}/gdssm.db", "GDSSM_WORKERS": "2"}
    command, log = [str(environments.server.folder / "bin" / "gdssm"), "serve"], project / "log"
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
@pytest.mark.parametrize("page", PAGES, ids=["README", "client"])
def test_three_lines_after_the_installation_predict_with_an_interval_at_a_server_beside_another_service(
    client: tuple[Environment, float],
    server: Server,
    tmp_path: Path,
    page: Path,
    record_property: Callable[[str, object], None],
) -> None:
    environment, seconds = client
    example = next(block for block in blocks(page) if block.language == "python")
    assert "pip install ./clients/python" in page.read_text(encoding="utf-8").partition(example.code)[0]
    assert len([line for line in re.sub(r"\(\n\s+|\n\)", "", example.code).splitlines() if line]) == 3
    begin = time.monotonic()
    found = run(environment, example.code.replace("http://127.0.0.1:8000", server.url), tmp_path)
    seconds += time.monotonic() - begin
    record_property("measured", f"{name(page)}: from pip install to a printed interval {seconds:.1f} s")
    prediction, lower, upper = (float(number) for number in re.findall(r"[\d.]+", found))
    assert lower < prediction < upper
    assert found == example.output


@pytest.mark.slow
def test_estimators_need_no_service(environments: Environments, server: Server, tmp_path: Path) -> None:
    names = environments.estimators.installed().keys()
    assert "sklearn" in names
    assert not {"onnxruntime", "fastapi", "sqlalchemy", "pydantic", "service", "gdssm"} & names
    found = run(environments.estimators, ESTIMATORS.replace("URL", repr(server.url)), tmp_path)
    assert re.fullmatch(ESTIMATED, found), found


@pytest.mark.slow
def test_mypy_sees_every_answer_of_the_installed_client(environments: Environments, tmp_path: Path) -> None:
    copy = Path(shutil.copy(Path(__file__).with_name("answer_types.py"), tmp_path))
    strict = ["--strict", "--config-file", os.devnull, "--cache-dir", tmp_path / "cache"]
    python = ["--python-executable", environments.client.python]
    command = [sys.executable, "-m", "mypy", *map(str, [*strict, *python, copy])]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_client_is_light(environments: Environments, tmp_path: Path) -> None:
    found = environments.client.installed()
    assert (environments.client.packages / "gdssm_client" / "py.typed").exists()
    assert {"gdssm_client", "httpx", "narwhals", "numpy"} <= found.keys()
    assert not {"onnxruntime", "fastapi", "sqlalchemy", "pydantic", "service", "gdssm"} & found.keys()
    assert sum(size for name, size in found.items() if not name.startswith("numpy")) < LIGHT_LIMIT
    without = "import gdssm_client\ntry:\n    gdssm_client.Client()\nexcept ValueError as error:\n    print(error)"
    assert "pip install '.[client]' in a checkout of gdssm" in run(environments.client, without, tmp_path)
    estimators = "try:\n    import gdssm_client.sklearn\nexcept ImportError as error:\n    print(error)"
    assert "scikit-learn. In a checkout of gdssm: pip install './clients/python[sklearn]'" in run(
        environments.client, estimators, tmp_path
    )


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


def test_packages_that_messages_name_exist() -> None:
    extras = {
        ".": tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"],
        "./clients/python": tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]["optional-dependencies"],
    }
    known = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    texts = [path.read_text(encoding="utf-8") for path in (CLIENT / "gdssm_client").rglob("*.py")]
    named = re.findall(r"pip install (?:'([^']+)'|([\w-]+))", "\n".join(texts))
    packages = [package or path.partition("[")[0] for path, package in named]
    assert {*packages} <= known | extras.keys()
    parts = [
        (path.partition("[")[0], extra) for path, _ in named for extra in re.findall(r"[\w-]+", path.partition("[")[2])
    ]
    assert {"client", "sklearn"} <= {extra for _, extra in parts}
    assert [part for part in parts if part[1] not in extras[part[0]]] == []
