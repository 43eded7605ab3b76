"""What the service's README says of binary predictions and of the protocol is run as it is printed."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.test_foreign_clients import PYTHON as CLIENTS
from tests.running import ROOT, Server, running

PAGE = (ROOT / "service" / "README.md").read_text()
SECTIONS = re.findall(
    r"^## (?:Binary predictions|Open Inference Protocol)\n.*?(?=^## )", PAGE, re.MULTILINE | re.DOTALL
)
BLOCKS = re.findall(r"^```(python|sh)\n(.*?)^```\n+```text\n(.*?)^```$", "".join(SECTIONS), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def test_the_sections_have_their_examples() -> None:
    assert [language for language, _, _ in BLOCKS] == ["python", "sh", "sh", "python"]


@pytest.mark.parametrize("block", BLOCKS, ids=[f"{i}-{language}" for i, (language, _, _) in enumerate(BLOCKS)])
def test_an_example_prints_what_it_says(server: Server, tmp_path: Path, block: tuple[str, str, str]) -> None:
    language, code, printed = block
    python = CLIENTS if "tritonclient" in code else Path(sys.executable)
    if not python.exists():
        pytest.skip(f"there is no tritonclient: {python} is missing (make .venv-clients/ready, or set CLIENTS_PYTHON)")
    command = [str(python), "-c"] if language == "python" else ["bash", "-ec"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    code = code.replace("127.0.0.1:8000", server.url.removeprefix("http://"))
    done = subprocess.run(
        [*command, code],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == printed.strip()
