"""The explanation in the README of the service is answered as it is printed."""

import json
import re
import subprocess

from tests.closeness import assert_close
from tests.running import ROOT, running

README = (ROOT / "service" / "README.md").read_text()


def test_the_explanation_is_answered_as_printed() -> None:
    section = README.split("\n## Explanations\n")[1].split("\n## ")[0]
    (_, command), (_, printed) = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    with running() as server:
        command = command.replace("http://127.0.0.1:8000", server.url)
        done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    found, expected = (json.loads(f"{{{text.strip()}")["explanation"] for text in (done.stdout, printed))
    assert_close(found["contributions"], expected["contributions"], "contributions", rtol=1e-9)
    for name, values in expected["implicit_weights"].items():
        assert_close(found["implicit_weights"][name], values, name, rtol=1e-9)
