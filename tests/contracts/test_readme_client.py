"""What the client's README says is run as it is printed."""

import os
import re
import subprocess
import sys

import pytest

from tests.running import ROOT, running

PAGE = (ROOT / "service" / "client" / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```\n+```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_example_says_what_it_prints() -> None:
    assert len(BLOCKS) == PAGE.count("```python") == 3


@pytest.mark.parametrize(("code", "printed"), BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_prints_what_it_says(code: str, printed: str) -> None:
    with running() as server:
        code = code.replace("http://127.0.0.1:8000", server.url)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-W", "error", "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed
