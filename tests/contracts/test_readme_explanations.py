"""The explanations and the missing cells in the README of the service are answered as they are printed."""

import json
import re
import subprocess
from typing import Any

import pytest

from tests.running import ROOT, running

README = (ROOT / "service" / "README.md").read_text()
BLOCK = re.compile(r"^```sh\n(.*?)^```$\n+^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def section(heading: str) -> str:
    return README.split(f"\n## {heading}\n")[1].split("\n## ")[0]


BLOCKS = [*BLOCK.findall(section("Missing cells")), *BLOCK.findall(section("Explanations"))]


def test_every_command_says_what_it_prints() -> None:
    assert len(BLOCKS) == section("Missing cells").count("```sh") + section("Explanations").count("```sh") == 3


@pytest.mark.parametrize(("command", "printed"), BLOCKS, ids=range(len(BLOCKS)))
def test_a_command_is_answered_as_printed(command: str, printed: str) -> None:
    with running() as server:
        command = command.replace("http://127.0.0.1:8000", server.url)
        done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    found, expected = (json.loads(f"{{{text.strip().removesuffix('}')}}}") for text in (done.stdout, printed))
    assert_same(found, expected, "answer")


def assert_same(found: Any, expected: Any, name: str) -> None:  # noqa: ANN401  (what JSON holds)
    """Compare numbers by their value and the rest as it is."""
    if isinstance(expected, dict):
        assert list(found) == list(expected), name
        for key, value in expected.items():
            assert_same(found[key], value, f"{name}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), name
        for i, value in enumerate(expected):
            assert_same(found[i], value, f"{name}[{i}]")
    else:
        assert found == (pytest.approx(expected, rel=1e-9) if isinstance(expected, float) else expected), name
