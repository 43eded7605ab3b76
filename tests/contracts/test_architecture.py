"""What the machine can hold of the drawing: who imports whom, and that nothing heavy comes along."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.app import create_app
from service.settings import Settings

ROOT = Path(__file__).parents[2]
HEAVY = ["torch", "onnx", "onnxscript", "pandas", "scipy", "sklearn", "export", "jaxtyping"]
HEAVY += ["httpx", "narwhals", "polars", "pyarrow", "matplotlib"]
WEB = ["fastapi", "starlette", "uvicorn"]
WEB_FREE = ["artifact", "runtime", "shapes", "merge", "repository", "predictor", "numbers", "table"]
WEB_FREE += ["file_task", "column_file", "streaming"]
WEB_FREE += [f"evaluations.{name}" for name in ("jobs", "report", "thresholds", "comparison")]
WEB_FREE += ["signature", "model_file", "trial", "directories", "catalogue", "unloaded"]
WEB_FREE += ["implicit_weights", "contributions", "explanation"]
WEB_FREE += ["inference", "tensors"]
WEB_FREE += ["forgetting", "memory", "portable", "context_record", "shelf", "contexts"]
WEB_FREE += ["store.database", "store.migrate", "store.contexts", "store.receipts", "store.unloaded"]
WEB_FREE += ["caller", "keys", "keyring", "rate_limits"]
WEB_FREE += ["record", "metrics", "processes", "logs", "stopping", "workers", "store.context_count"]


def imported_with(module: str) -> set[str]:
    """Import a module in a fresh interpreter and name the packages that came with it."""
    code = f"import {module}, sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-W", "error", "-c", code]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("module", ["service.app", "service.cli"])
def test_the_service_comes_without_the_science(module: str) -> None:
    assert imported_with(module).isdisjoint(HEAVY)


def test_the_core_comes_without_the_web() -> None:
    modules = ", ".join(f"service.{name}" for name in [*WEB_FREE, "errors", "settings"])
    assert imported_with(modules).isdisjoint([*HEAVY, *WEB])


def test_importing_the_service_does_no_work() -> None:
    broken = {**os.environ, "GDSSM_PORT": "none", "GDSSM_ZOO": "/not/there"}
    subprocess.run([sys.executable, "-W", "error", "-c", "import service.cli"], cwd=ROOT, env=broken, check=True)


def test_making_the_app_loads_no_model() -> None:
    assert create_app(Settings()).state.parts.predictor.repository.served() == []


def test_running_a_model_reports_to_nobody(tmp_path: Path) -> None:
    """onnxruntime keeps an identity and a queue of events under the home directory, unless it is told not to."""
    code = "from service.repository import Repository; Repository.load([Settings().zoo], 1)"
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-W", "error", "-c", f"from service.settings import Settings; {code}"]
    subprocess.run(command, cwd=ROOT, env={**environment, "HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []
