"""The benchmark of stored contexts, on few of them: its result and its goals."""

import json
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.stored_context import CONTEXTS, MODELS, measure, report

WAYS = ("over HTTP", "in process")


def text(ratio: float, size: int) -> str:
    """The report if observations cost so many times as much, and a database has so many bytes."""
    times = {way: {"linear": 1e-3, "nonlinear": ratio * 1e-3} for way in WAYS}
    sizes = {"linear": (1500, 10**8), "nonlinear": (47_000, size)}
    within_rounds = dict.fromkeys(WAYS, (ratio, ratio, ratio))
    return report(times, within_rounds, {"linear": 1e-3, "nonlinear": 1.5e-3}, sizes, CONTEXTS).markdown()


@pytest.mark.slow
def test_it_leaves_tables_and_numbers(tmp_path: Path) -> None:
    results.write(tmp_path, "stored_context", measure(rounds=2, count=3))
    numbers = json.loads((tmp_path / "stored_context.json").read_text())["numbers"]
    ways = [*WAYS, "in process, without a database"]
    assert list(numbers["seconds"]) == list(numbers["ratios"]) == ways
    assert all(numbers["seconds"][way][model] > 0 for way in ways for model in MODELS)
    assert numbers["bytes"]["nonlinear"][0] > numbers["bytes"]["linear"][0]
    assert (tmp_path / "stored_context.md").read_text().count("| over HTTP") == 2


def test_figures_within_the_targets_meet_the_goals() -> None:
    assert text(2.0, 5 * 10**9).count("| met |") == 2


def test_figures_beyond_the_targets_miss_the_goals() -> None:
    assert text(2.1, 5 * 10**9 + 1).count("| **not met** |") == 2
