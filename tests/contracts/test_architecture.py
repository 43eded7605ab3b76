"""Imports follow the architecture: no package imports a heavier layer."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from service.app import create_app
from service.settings import Settings

ROOT = Path(__file__).parents[2]
HEAVY = ["torch", "onnx", "onnxscript", "pandas", "scipy", "sklearn", "export", "jaxtyping"]
HEAVY += ["httpx", "narwhals", "polars", "psycopg", "pyarrow", "matplotlib"]
WEB = ["fastapi", "starlette", "uvicorn"]
CORE = ["numbers", "real_numbers", "pandas_index", "errors", "settings"]
AROUND = [
    "inference",
    "schemas",
    "registry",
    "states",
    "contexts",
    "explaining",
    "evaluations",
    "access",
    "tables",
    "datasets",
    "store",
    "observability",
]
ASIDE = ["migrations", "drawing", "__init__"]
"""Modules for alembic, one that needs an extra (matplotlib), and empty ones."""
ASIDE += ["arrow_cells", "arrow_files", "csv_file", "json_lines", "spreadsheet", "value_chunks"]
ASIDE += ["prediction_columns", "writing"]
ASIDE += ["building", "file_predictions", "files", "outputs", "parquet_statistics", "pieces_table", "reports"]
ASIDE += ["splits", "summarizing"]
"""Modules of tables and datasets that need an extra (pyarrow)."""


SCIENCE = {"gdssm", "gdssm.arrays", "gdssm.decay_average", "gdssm.feature_plan", "gdssm.prior", "gdssm.quadrature"}
"""What the service needs of it: tables of features, numbers, and the average over forgetting factors."""


UNLISTED = {"clients/python/gdssm_client/learning", "gdssm/reproduce/experiments", "service/client"}
"""Packages whose modules are all of one kind: generated, one for each experiment, and former names."""


def modules_imported_with(module: str) -> set[str]:
    """Import a module in a fresh interpreter and name the modules that came with it."""
    code = f"import {module}, sys; print(*sys.modules)"
    command = [sys.executable, "-W", "error", "-c", code]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def imported_with(module: str) -> set[str]:
    """Name the packages alone."""
    return {name.split(".")[0] for name in modules_imported_with(module)}


@pytest.mark.slow
@pytest.mark.parametrize("module", ["service.app", "service.cli"])
def test_the_service_comes_without_the_science(module: str) -> None:
    assert imported_with(module).isdisjoint(HEAVY)


@pytest.mark.slow
def test_service_starts_without_migrations_and_science() -> None:
    modules = modules_imported_with("service.server.serving")
    assert {name.split(".")[0] for name in modules}.isdisjoint(["alembic", "mako"])
    assert {name for name in modules if name.split(".")[0] == "gdssm"} <= SCIENCE


@pytest.mark.slow
def test_serve_command_is_parsed_without_web_imports() -> None:
    assert imported_with("service.commands.serve").isdisjoint([*WEB, "sqlalchemy", "onnxruntime"])


def test_every_extra_that_a_message_or_a_readme_names_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pages = [path for folder in ("service", "docs") for path in (ROOT / folder).rglob("*")]
    texts = [path.read_text() for path in pages if path.suffix in {".py", ".md"}]
    named = set(re.findall(r"gdssm\[(\w+)\]", "\n".join(texts)))
    assert {"client", "tables", "plot", "postgres", "traces"} <= named
    assert named <= extras.keys()


@pytest.mark.slow
def test_the_core_comes_without_the_web() -> None:
    inside = [path for package in AROUND for path in (ROOT / "service" / package).rglob("*.py")]
    parts = [path.relative_to(ROOT / "service").with_suffix("").parts for path in inside]
    names = [
        *CORE,
        "server.workers",
        "server.stopping",
        "server.garbage_collection",
        *(".".join(part) for part in parts if not {*part} & {*ASIDE}),
    ]
    assert all((ROOT / "service" / package).is_dir() for package in AROUND)
    assert len(names) > 40
    assert imported_with(", ".join(f"service.{name}" for name in names)).isdisjoint([*HEAVY, *WEB])


@pytest.mark.slow
def test_schemas_come_without_web_database_and_runtime() -> None:
    modules = ("contexts", "evaluations", "streams", "models", "errors")
    found = imported_with(", ".join(f"service.schemas.{name}" for name in modules))
    assert found.isdisjoint([*HEAVY, *WEB, "onnxruntime", "sqlalchemy", "simdjson"])


@pytest.mark.parametrize(
    "package",
    [
        path.parent.relative_to(ROOT).as_posix()
        for top in ("service", "gdssm", "export", "benchmarks", "clients/python/gdssm_client")
        for path in sorted((ROOT / top).rglob("__init__.py"))
    ],
)
def test_package_docstring_lists_its_modules(package: str) -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))) or ""
    modules = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__", "__main__"}
    assert package in UNLISTED or modules <= set(re.findall(r"\w+", docstring))


def test_importing_the_service_does_no_work() -> None:
    broken = {**os.environ, "GDSSM_PORT": "none", "GDSSM_ZOO": "/not/there"}
    subprocess.run([sys.executable, "-W", "error", "-c", "import service.cli"], cwd=ROOT, env=broken, check=True)


def test_creating_the_app_loads_no_model() -> None:
    assert not hasattr(create_app(Settings()).state, "service")


@pytest.mark.slow
def test_running_a_model_writes_no_telemetry(tmp_path: Path) -> None:
    """onnxruntime keeps an identity and a queue of events under the home directory unless telemetry is disabled."""
    code = "from service.registry.repository import Repository; Repository.load([Settings().zoo], 1)"
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-W", "error", "-c", f"from service.settings import Settings; {code}"]
    subprocess.run(command, cwd=ROOT, env={**environment, "HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []
