"""The explanation and the missing cells in the README of the service are answered as they are printed."""

import json
import re
import subprocess
from typing import Any

from tests.closeness import assert_close
from tests.running import ROOT, running

README = (ROOT / "service" / "README.md").read_text()


def answer_and_print(heading: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the command of a section, and read what is printed under it; each is one field of an answer."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    (_, command), (_, printed) = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    with running() as server:
        command = command.replace("http://127.0.0.1:8000", server.url)
        done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    answered, written = (json.loads(f"{{{text.strip().removesuffix('}')}}}") for text in (done.stdout, printed))
    return answered, written


def test_the_explanation_is_answered_as_printed() -> None:
    found, expected = (field["explanation"] for field in answer_and_print("Explanations"))
    assert_close(found["contributions"], expected["contributions"], "contributions", rtol=1e-9)
    for name, values in expected["implicit_weights"].items():
        assert_close(found["implicit_weights"][name], values, name, rtol=1e-9)


def test_missing_cells_are_answered_as_printed() -> None:
    found, expected = (field["prediction"] for field in answer_and_print("Missing cells"))
    assert_close(found, expected, "prediction", rtol=1e-9)
