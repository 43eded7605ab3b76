"""Starts are measured, and sizes are added up by package, with bytecode and without."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import start
from benchmarks.results import Result
from benchmarks.serving.specs import FASTAPI, OURS
from benchmarks.start import Start

BLOCK = 4096
SHARES = {"seconds": {"numpy": 0.05}, "wheels": {"numpy": 60.0}, "disk": {"numpy": 75.0, "onnxruntime": 70.4}}


def ours(seconds: float, disk: float) -> Start:
    return Start("gdssm", (seconds, seconds - 0.2, seconds + 0.1), memory=131.0, processes=1, wheels=192.0, disk=disk)


def goals(result: Result) -> dict[str, list[object]]:
    return {goal.measure: [goal.target, goal.result, goal.met] for goal in result.goals}


def test_every_goal_has_its_target_and_its_result() -> None:
    found = goals(start.report([ours(0.8, 248.0)], SHARES, {}, 3))
    assert found["start"] == ["< 1 s", "0.8 s", True]
    assert found["memory with all models loaded"] == ["< 150 MB", "131 MB", True]
    assert found["base install, files of its wheels"] == ["< 200 MB", "192 MB", True]
    assert found["base install on disk, with bytecode"] == ["< 200 MB", "248 MB", False]
    assert goals(start.report([ours(1.2, 199.0)], SHARES, {}, 3))["start"][-1] is False


def test_all_servers_are_listed_and_missing_ones_with_the_reason() -> None:
    peer = Start(start.CONTROL, (1.6, 2.4, 2.0), 300.0, 5, None, None)
    text = start.report([ours(0.8, 248.0), peer], SHARES, {"other": "pip: no such version"}, 7).markdown()
    assert "| gdssm | 0.80 s (0.60–0.90) | 0.45 | 131 MB | 1 | 192 MB | 248 MB |" in text
    assert f"| {start.CONTROL} | 2.00 s (1.60–2.40) | 1.00 | 300 MB | 5 |  |  |" in text
    assert "| other | pip: no such version |" in text
    assert "| disk | numpy 75 MB, onnxruntime 70 MB |" in text
    assert "Medians of 7 starts" in text


def test_packages_are_weighed_without_what_every_environment_begins_with(tmp_path: Path) -> None:
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in ("big/inner/data.so", "big/__pycache__/a.pyc", "pip/a.py", "setuptools-1.dist-info/RECORD", "one.py"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(b"x" * (3 * BLOCK if name.startswith("big") else 10))
    python = tmp_path / "bin" / "python"
    assert start.packages(python, start.file_bytes) == {"big": 3 * BLOCK / 1e6, "one.py": 10 / 1e6}
    on_disk = start.packages(python, start.disk_bytes)
    assert on_disk.keys() == {"big", "one.py"}
    assert on_disk["big"] >= 6 * BLOCK / 1e6


def test_imports_are_added_up_by_package() -> None:
    found = start.imports(Path(sys.executable), "email.mime.text")
    assert 0 < found["email"] < 60
    assert not [name for name in found if "." in name]


@pytest.mark.slow
def test_they_are_started_in_turn_and_who_does_not_start_is_left_out() -> None:
    skipped: dict[str, str] = {}
    absent = replace(FASTAPI[0], name="absent", arguments=("-c", "raise SystemExit('not today')"))
    ours, peer = start.measure([OURS, absent, FASTAPI[0]], 1, skipped)
    assert (ours.name, ours.processes, peer.name, peer.processes) == ("gdssm", 1, "fastapi_async", 1)
    assert ours.disk is not None
    assert (peer.wheels, peer.disk) == (None, None)
    assert list(skipped) == ["absent"]
    assert "not today" in skipped["absent"]
