"""A test run starts with the slow files, and ends with a summary of skipped tests and notes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT

FAST = """
import pytest

@pytest.mark.parametrize("number", range(3))
def test_in_a_browser(number):
    pytest.skip("Chromium is not installed: apt-get install chromium")

def test_fast(record_property):
    record_property("measured", "a step: 3 s")
    record_property("number", 5)
"""
SLOW = """
import pytest

@pytest.mark.slow
def test_slow():
    pass
"""


def run(directory: Path, *options: str) -> str:
    (directory / "test_fast.py").write_text(FAST)
    (directory / "test_slow.py").write_text(SLOW)
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "tests.conftest"]
    command += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), *options, str(directory)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_skipped_tests_are_counted_by_reason(tmp_path: Path) -> None:
    assert "\n    3 tests: Chromium is not installed: apt-get install chromium\n" in run(tmp_path)


@pytest.mark.slow
def test_notes_of_tests_are_listed(tmp_path: Path) -> None:
    for options in ((), ("-n", "1")):
        _, _, notes = run(tmp_path, *options).partition(" measured ")
        assert notes.splitlines()[1] == "a step: 3 s"


@pytest.mark.slow
def test_files_with_slow_tests_come_first(tmp_path: Path) -> None:
    output = run(tmp_path)
    assert output.index("test_slow ") < output.index("test_fast ")


@pytest.mark.slow
def test_slow_tests_can_be_left_out(tmp_path: Path) -> None:
    output = run(tmp_path, "-m", "not slow")
    assert "test_slow" not in output
    assert "1 passed, 3 skipped, 1 deselected" in output
