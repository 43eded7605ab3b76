"""The measurement of stored contexts, on few: that it comes to an end, and what is made of its numbers."""

import json
from pathlib import Path

from benchmarks.stored_context import CONTEXTS, MODELS, main, section

WAYS = ("over HTTP", "in process")


def told(ratio: float, size: int) -> str:
    """What is said if observations cost so many times as much, and so many bytes are taken."""
    times = {way: {"linear": [1e-3] * 50, "nonlinear": [ratio * 1e-3] * 50} for way in WAYS}
    sizes = {"linear": (1500, 10**8), "nonlinear": (47_000, size)}
    return section(times, {"linear": 1e-3, "nonlinear": 1.5e-3}, sizes, CONTEXTS)


def test_it_leaves_tables_and_numbers(tmp_path: Path) -> None:
    main(tmp_path, rounds=2, count=3)
    numbers = json.loads((tmp_path / "stored_context.json").read_text())
    ways = [*WAYS, "in process, without a database"]
    assert list(numbers["seconds"]) == list(numbers["ratios"]) == ways
    assert all(numbers["seconds"][way][model] > 0 for way in ways for model in MODELS)
    assert numbers["bytes"]["nonlinear"][0] > numbers["bytes"]["linear"][0]
    assert (tmp_path / "stored_context.md").read_text().count("| over HTTP") == 2


def test_what_keeps_within_the_bounds_meets_the_goals() -> None:
    assert told(2.0, 5 * 10**9).count("| met |") == 2


def test_what_does_not_misses_them() -> None:
    assert told(2.1, 5 * 10**9 + 1).count("| **not met** |") == 2
