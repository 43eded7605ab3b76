"""The benchmark of many contexts, on few of them: its result and its goals."""

import json
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.many_contexts import measure, report
from tests.nonempty import nonempty

DELETION = {"contexts": 9.0, "seconds": 1.0, "batches": 1.0, "median_lock": 0.01, "median_wait": 0.01}


def text(ratio: float, lock: float, grown: float, hot: float | None) -> str:
    """The report if a call costs so many times as much among many, and so on."""
    times = {"SQLite, 1,000": {"create": {"few": [1e-3], "many": [ratio * 1e-3]}}}
    return report(
        times, {**DELETION, "longest_lock": lock, "longest_wait": 0.02}, [100.0, 100.0, 100.0 + grown], hot
    ).markdown()


@pytest.mark.slow
def test_it_leaves_tables_and_numbers(tmp_path: Path) -> None:
    results.write(tmp_path, "many_contexts", measure(rounds=2, many=30, many_on_postgresql=20))
    numbers = json.loads((tmp_path / "many_contexts.json").read_text())["numbers"]
    assert numbers["deletion"]["contexts"] == 6
    for calls in nonempty(numbers["medians"].values()):
        assert {"create", "delete", "observe", "predict", "list by labels", "count"} <= {*calls}
        assert all(few > 0 and many > 0 for few, many in nonempty(calls.values()))


def test_figures_within_the_targets_meet_the_goals() -> None:
    assert text(2.0, 0.199, 64.0, 0.9).count("| met |") == 4


def test_figures_beyond_the_targets_miss_the_goals() -> None:
    assert text(2.1, 0.2, 65.0, 0.89).count("| **not met** |") == 4
    assert text(1.0, 0.1, 0.0, None).count("| not measured |") == 1
