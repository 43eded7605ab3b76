"""The models in numpy compute the same as the graphs, and the result has their times."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks import results
from benchmarks.graph import MODELS, QUICK, draw, empty_state, measure, report, summarize, with_batch, without_batch
from benchmarks.models import runtime_of
from tests.closeness import assert_close
from tests.nonempty import nonempty

CALLS = ("graph", "numpy", "graph, stored", "numpy, stored")


@pytest.mark.parametrize("shift", [0.0, 1e3])
@pytest.mark.parametrize("model", MODELS)
def test_numpy_computes_what_the_graph_does(model: str, shift: float) -> None:
    runtime, data = runtime_of(model), draw(23, 5, 3)
    data["x"][:, 2] += shift
    data["weight"] = np.linspace(0.5, 2.0, 23)
    first, then = ({name: array[part] for name, array in data.items()} for part in (slice(0, 9), slice(9, 23)))
    first["x_query"] = then["x_query"] = data["x_query"]
    empty = empty_state(runtime, data)
    held = runtime.state_after(runtime.run(empty | with_batch(first)))
    for state, given in ((empty, data), (held, then), (held, {"x_query": data["x_query"]})):
        expected = runtime.run(state | with_batch(given))
        prediction, after = MODELS[model](without_batch(state), given)
        # The graph of `linear` computes its readout by doublings, numpy by an eigendecomposition.
        rounding = 1e-5 if model == "linear" else 1e-9
        assert_close(prediction, expected["prediction"][0], "prediction", rtol=rounding)
        for (name, tensor), actual in zip(runtime.state_after(expected).items(), after, strict=True):
            assert_close(actual, tensor[0], name, rtol=1e-9)


@pytest.mark.slow
def test_it_leaves_tables_and_numbers(tmp_path: Path) -> None:
    results.write(tmp_path, "graph", measure(QUICK))
    numbers = json.loads((tmp_path / "graph.json").read_text())["numbers"]
    assert numbers["seconds"].keys() == MODELS.keys()
    assert all(low > 0 for by_size in numbers["seconds"].values() for low, _, _ in nonempty(by_size["L"].values()))
    assert numbers["threads"].keys() == {"4 × 3"}
    assert numbers["nodes"]["gd-1"]["optimised"]["FusedMatMul"] > 0
    assert "| gd-8 | L |" in (tmp_path / "graph.md").read_text()


def test_a_goal_is_met_or_not_by_the_median_ratio_within_rounds() -> None:
    times = {
        "graph": [1.0, 10.0, 1.3],
        "numpy": [1.0, 10.0, 1.0],
        "graph, stored": [0.3, 4.0, 0.5],
        "numpy, stored": [1.0],
    }
    assert times.keys() == set(CALLS)
    threads = {"1 × 1": {"1": (1.0, 1.0, 1.0), "2": (2.0, 2.0, 2.0), "2 ÷ 1": (2.0, 2.0, 2.0)}}
    result = report({"gd-1": {"L": summarize(times)}}, threads, {"gd-1": (Counter(), Counter())}, {})
    section = result.markdown()
    assert "| gd-1, L: graph ÷ numpy | ≤ 1.200 | 1.000 | met |" in section
    assert "| gd-1, L: stored ÷ one-shot | ≤ 0.333 | 0.385 | **not met** (1) |" in section
