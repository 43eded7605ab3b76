"""The contexts in the README of the service are answered as the comments under their commands say."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.running import ROOT, running

README = (ROOT / "service" / "README.md").read_text()
NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"


def test_contexts_are_answered_as_printed(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```sh\n(contexts=.*?)^```$", README, re.MULTILINE | re.DOTALL)
    with running() as server:
        command = block.replace("http://127.0.0.1:8000", server.url)
        done = subprocess.run(
            ["/bin/bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        )
    printed = [part for line in re.findall(r"^# (.*)$", block, re.MULTILINE) for part in line.split(" … ")]
    assert len(printed) == 5
    start = 0
    for part in printed:
        shape = NUMBER.join(map(re.escape, re.split(NUMBER, part)))
        found = re.compile(shape).search(done.stdout, start)
        assert found is not None, part
        start = found.end()
        numbers = [[float(number) for number in re.findall(NUMBER, text)] for text in (found[0], part)]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-9), part
