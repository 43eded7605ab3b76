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
WEB = ["fastapi", "starlette", "uvicorn"]
WEB_FREE = ["artifact", "runtime", "shapes", "merge", "repository", "predictor", "numbers", "table", "csv_task"]
WEB_FREE += ["signature", "model_file", "trial", "directories", "catalogue", "unloaded"]
WEB_FREE += ["implicit_weights", "contributions", "explanation"]
WEB_FREE += ["inference", "tensors"]
WEB_FREE += ["forgetting", "memory", "portable", "context_record", "shelf", "contexts"]
WEB_FREE += ["store.database", "store.migrate", "store.contexts", "store.receipts", "store.unloaded"]
WEB_FREE += ["caller", "keys", "keyring", "rate_limits", "key_commands"]


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
