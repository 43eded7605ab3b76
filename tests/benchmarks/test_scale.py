"""The scale benchmark on small sizes: its result and its goals."""

import json
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.scale import QUICK, ScaleMeasurements, among, measure
from benchmarks.scale_sizes import MODELS, STREAMED, Point, Swept, chunk_rows, observations
from tests.nonempty import nonempty


def found(seconds: float = 1.0, megabytes: float = 0.0, more: float = 1.0, among: float = 1.0) -> ScaleMeasurements:
    """Measurements with time and memory as these powers of the size, and calls that take so many times as long."""
    calls = ("observe", "predict", "make and remove")
    return ScaleMeasurements(
        [
            Swept(STREAMED, "N", model, size, 1e-7 * size**seconds, (0, 1), 90.0 * size**megabytes)
            for model in MODELS
            for size in (10, 100, 1000)
        ],
        {model: {10: [1.0], 1000: [more]} for model in MODELS},
        {model: {1: {call: [1.0] for call in calls}, 100: {call: [among] for call in calls}} for model in MODELS},
    )


@pytest.mark.slow
def test_it_leaves_tables_figures_and_numbers(tmp_path: Path) -> None:
    results.write(tmp_path, "scale", measure(QUICK))
    numbers = json.loads((tmp_path / "scale.json").read_text())["numbers"]
    assert [(size["model"], size["size"]) for size in numbers["sizes"]] == [(m, n) for m in MODELS for n in (10, 20)]
    assert all(size["seconds"] > 0 and size["megabytes"] > 1 for size in nonempty(numbers["sizes"]))
    assert numbers["one_more"].keys() == numbers["contexts"].keys() == set(MODELS)
    section = (tmp_path / "scale.md").read_text()
    for figure in ("scale-sizes.svg", "scale-contexts.svg"):
        assert figure in section
        assert (tmp_path / figure).read_text().startswith("<svg")


def test_linear_time_and_constant_memory_meet_the_goals() -> None:
    section = found().report().markdown()
    assert section.count("| met |") == 2 * 5
    assert "not met" not in section


def test_faster_growth_misses_the_goals() -> None:
    section = found(seconds=1.2, megabytes=0.1, more=1.3, among=1.3).report().markdown()
    assert section.count("| **not met** |") == 2 * 5
    assert "| met |" not in section


def test_a_stream_has_all_observations_in_chunks() -> None:
    point = Point("linear", observations=100_000, way="streamed")
    sizes = [len(chunk.x) for chunk in observations(point)]
    assert sum(sizes) == 100_000
    assert max(sizes) == chunk_rows(point) < 100_000
    assert [len(chunk.x) for chunk in observations(Point("linear", observations=100_000))] == [100_000]


@pytest.mark.slow
def test_contexts_are_as_many_as_it_says_and_every_call_is_timed() -> None:
    seconds = among("linear", (1, 7), rounds=2)
    assert {count: {call: len(times) for call, times in calls.items()} for count, calls in seconds.items()} == {
        count: {"observe": 2, "predict": 2, "make and remove": 2} for count in (1, 7)
    }
