"""The bulk benchmark on small files: its result, its oracle and its goals."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from benchmarks import mixed_csv, results
from benchmarks.bulk import Answers, BulkMeasurements, measure, moments
from benchmarks.bulk_methods import ALL, CASES, CONTROL, INPUTS, OURS, chunks, one_pass, write
from benchmarks.models import runtime_of
from benchmarks.processes import ProcessCost, cost
from benchmarks.results import Goal
from tests.closeness import assert_close
from tests.gdssm.linear_oracle import Array


def found(seconds: float, megabytes: float, off: float) -> BulkMeasurements:
    ours, control = (
        Answers([ProcessCost(seconds, 1, megabytes)], 0.9, off),
        Answers([ProcessCost(1, 1, 100)], 0.9, None),
    )
    return BulkMeasurements(1000, 10, 0.1, {"ordinary": {OURS: ours, CONTROL: control}}, ProcessCost(1, 1, 100))


@pytest.mark.slow
def test_it_leaves_a_table_with_the_exact_answers_of_ours(tmp_path: Path) -> None:
    results.write(tmp_path, "bulk", measure(rows=3000, queries=50, repeats=1))
    files = json.loads((tmp_path / "bulk.json").read_text())["numbers"]["files"]
    assert files.keys() == CASES.keys()
    for found in files.values():
        assert list(found) == list(ALL)
        assert found[OURS]["off"] < 1e-6
        assert all(result["costs"][0]["megabytes"] > 10 for result in found.values())
    assert files["ordinary"][CONTROL]["off"] < 1e-6
    assert files["ordinary"]["Ridge"]["off"] < 1e-6
    assert all(found[name]["r2"] > 0.9 for found in files.values() for name in (OURS, "Ridge", "SGDRegressor"))
    assert (tmp_path / "bulk.md").read_text().count(": error | ≤ 1e-06 |") == len(CASES)


@pytest.mark.parametrize("mean", CASES.values())
def test_the_oracle_in_chunks_is_the_oracle_of_the_whole(tmp_path: Path, mean: float) -> None:
    path = tmp_path / "t.parquet"
    write(path, 1000, mean, seed=0)
    whole = np.concatenate(list(chunks(path, 1000)))
    x, y = whole[:, :INPUTS], whole[:, INPUTS:]

    def pieces() -> Iterator[Array]:
        return iter(np.array_split(whole, 7))

    known, middle = moments(pieces), y.mean()
    runtime = runtime_of("linear")
    centre = whole.mean(0)
    data = {"x": (x - centre[:-1])[None], "y": (y - centre[-1])[None], "x_query": (x - centre[:-1])[None]}
    ours = runtime.run(data)["prediction"][0, :, 0] + centre[-1]
    assert known.count == 1000
    assert_close(known.gdssm(x) - middle, ours - middle, "gdssm", rtol=1e-6)
    for name, answers, expected in (
        ("least squares", known.ridge(x, 0.0), LinearRegression().fit(x, y[:, 0]).predict(x)),
        ("ridge", known.ridge(x, 1.0), Ridge().fit(x, y[:, 0]).predict(x)),
    ):
        assert_close(answers - middle, expected - middle, name, rtol=1e-8)


def test_the_control_is_least_squares(tmp_path: Path) -> None:
    context, query = tmp_path / "c.parquet", tmp_path / "q.parquet"
    write(context, 1000, 1.0, seed=0)
    write(query, 20, 1.0, seed=1)
    rows, asked = (np.concatenate(list(chunks(path, 1000))) for path in (context, query))
    expected = LinearRegression().fit(rows[:, :INPUTS], rows[:, INPUTS]).predict(asked[:, :INPUTS])
    assert_close(one_pass(context, query, 100), expected, "control", rtol=1e-9)


def test_files_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        write(tmp_path / name, 10, 1.0, seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


@pytest.mark.slow
def test_a_cost_is_that_of_the_process_alone() -> None:
    ballast = np.ones(50_000_000)  # 400 MB of the parent do not count
    assert 5 < cost(["-c", "pass"]).megabytes < 100
    assert ballast.nbytes > 0


def test_goals_are_met_or_not() -> None:
    assert verdicts(found(1.4, 299, 1e-7).report().goals) == [True] * 3
    assert verdicts(found(1.6, 301, 1e-5).report().goals) == [False] * 3


def verdicts(goals: Sequence[Goal]) -> list[bool | None]:
    return [goal.met for goal in goals]


@pytest.mark.slow
def test_methods_agree_on_a_csv_file_with_categories_and_gaps() -> None:
    r2 = mixed_csv.run(quick=True).numbers["r2"]
    assert isinstance(r2, dict)
    assert len(r2) == len(mixed_csv.MODELS) + 1
    assert max(r2.values()) - min(r2.values()) < 0.01
    assert min(r2.values()) > 0.9
