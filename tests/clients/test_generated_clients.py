"""Clients that other programs generate from the OpenAPI document, as docs/http.md says, against a running service."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import Guarded
from tests.clients.test_foreign_clients import NEEDS_CLIENTS, PYTHON, run_checks
from tests.contracts.documents import Block, blocks
from tests.contracts.test_documentation import ADDRESS, assert_prints
from tests.node import TYPESCRIPT, node, packages
from tests.running import ROOT, running

PAGE = ROOT / "docs/http.md"
CHECKS = 9
"""How many things `with_openapi_python_client.py` tries."""
COMPILER_OPTIONS = {"strict": True, "target": "es2022", "module": "nodenext", "noUncheckedIndexedAccess": True}


def documented(language: str) -> Block:
    """The one block of docs/http.md in a language."""
    (block,) = [block for block in blocks(PAGE) if block.language == language]
    return block


def printed(program: str, url: str) -> list[str | Path]:
    """The line of docs/http.md that calls a program, for a service at an address."""
    lines = [line for block in blocks(PAGE) if block.language == "bash" for line in block.code.splitlines()]
    (line,) = [line for line in lines if line.startswith(f"{program} ")]
    return ["bash", "-c", line.replace(f"http://{ADDRESS}", url)]


def run(command: list[str | Path], folder: Path) -> str:
    path = f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_documented_typescript_compiles_with_generated_types_and_prints_what_the_page_says(tmp_path: Path) -> None:
    block, programs = documented("typescript"), packages(TYPESCRIPT) / ".bin"
    (tmp_path / "node_modules").symlink_to(programs.parent)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": COMPILER_OPTIONS}))
    with running() as server:
        (tmp_path / "call.ts").write_text(block.code.replace(ADDRESS, server.url.removeprefix("http://")))
        run(printed("npx", server.url), tmp_path)
        run([node(), programs / "tsc"], tmp_path)
        assert_prints(run([node(), "call.js"], tmp_path), block.output or "")


@NEEDS_CLIENTS
@pytest.mark.slow
def test_generated_python_client_calls_every_operation(guarded: Guarded, tmp_path: Path) -> None:
    (tmp_path / "generate.yaml").write_text(documented("yaml").code)
    said = run(printed("openapi-python-client", guarded.url), tmp_path)
    assert "warning" not in said.lower()
    assert run_checks("with_openapi_python_client", guarded, str(tmp_path / "gdssm-api")) == CHECKS
