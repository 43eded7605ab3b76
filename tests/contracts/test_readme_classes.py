"""The probabilities in the README of the service are answered as they are printed."""

import json
import re
import subprocess

from tests.closeness import assert_close
from tests.running import ROOT, running

README = (ROOT / "service" / "README.md").read_text()


def test_the_probabilities_are_answered_as_printed() -> None:
    section = README.split("\n## Classes\n")[1].split("\n## ")[0]
    (_, command), (_, printed) = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    with running() as server:
        command = command.replace("http://127.0.0.1:8000", server.url)
        done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    found, expected = (json.loads(f"{{{text}}}")["prediction"] for text in (done.stdout, printed))
    assert_close(found, expected, "probabilities", rtol=1e-9)
