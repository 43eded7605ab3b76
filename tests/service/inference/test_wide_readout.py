"""Behind the graph and inside it, a readout is the same."""

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from gdssm.prior import RESIDUE
from service.inference.runtime import WIDE, Runtime
from service.inference.sizes import Array
from service.inference.wide_readout import group_probabilities, varying, wide_readout
from service.registry.repository import Repository
from tests.closeness import assert_close

B = 2
CASES = [
    ("linear", 60, 20, 2, 0.0), ("linear", 3, 5, 1, 0.0), ("linear", 1, 4, 1, 0.0), ("linear", 40, 7, 3, 0.3),
    ("linear", 50, 80, 1, 0.0), ("linear", 50, 35, 1, 0.2), ("nonlinear", 20, 6, 2, 0.2),
    ("nonlinear", 200, 10, 1, 0.0), ("nonlinear", 60, 8, 1, 0.2),
]  # fmt: skip


@pytest.fixture(params=["linear", "nonlinear"])
def runtime(request: pytest.FixtureRequest, repository: Repository) -> Iterator[Runtime]:
    runtime = repository.get(request.param)
    yield runtime
    runtime.wide = WIDE


@pytest.mark.parametrize(("model", "rows", "inputs", "outputs", "missing"), CASES)
def test_both_agree(repository: Repository, model: str, rows: int, inputs: int, outputs: int, missing: float) -> None:
    runtime, generator = repository.get(model), np.random.default_rng(rows)
    x = generator.normal(size=(B, rows, inputs))
    y = generator.normal(size=(B, rows, outputs)) + x[..., :1]
    x_query = x[:, :2] + 0.5
    x, x_query = (np.where(generator.random(cells.shape) < missing, np.nan, cells) for cells in (x, x_query))
    check_agreement(runtime, {"x": x, "y": y, "x_query": x_query})


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_columns_that_do_not_vary_have_no_share_on_either_side(repository: Repository, model: str) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(B, 40, 5))
    x[..., 1], x[0, :, 3] = 7.0, 0.0
    y = x[..., :1] + generator.normal(size=(B, 40, 2))
    check_agreement(repository.get(model), {"x": x, "y": y, "x_query": x[:, :3] + 0.5})


def check_agreement(runtime: Runtime, tensors: dict[str, Array]) -> None:
    """Compare what the graph answers with the readout computed outside it."""
    found = {}
    try:
        for wide in (sys.maxsize, 0):
            runtime.wide = wide
            found[wide] = runtime.run({**tensors, "want_response": 1.0})
    finally:
        runtime.wide = WIDE
    for name, tolerance in (
        ("prediction", 1e-7),
        ("scale", 1e-7),
        ("readout.weight", 1e-6),
        ("readout.response", 1e-6),
    ):
        inside, behind = found[sys.maxsize][name], found[0][name]
        assert np.abs(inside - behind).max() <= tolerance * max(np.abs(inside).max(), 1e-12), name


def test_the_scale_is_left_out_where_it_is_not_wanted(runtime: Runtime) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(1, 9, 3))
    for wide in (sys.maxsize, 0):
        runtime.wide = wide
        outputs = runtime.run({"x": x, "y": x[..., :1], "x_query": x, "want_scale": 0.0})
        assert not outputs["readout.covariance"].any()


def test_the_average_is_that_of_the_groups_by_their_probabilities(repository: Repository) -> None:
    runtime, generator = repository.get("nonlinear"), np.random.default_rng(3)
    x = generator.normal(size=(B, 40, 6))
    y = np.stack([x[..., 0] + np.abs(x[..., 1]), x[..., 2] * x[..., 3]], -1) + generator.normal(size=(B, 40, 2))
    state = runtime.state_after(runtime.run({"x": x, "y": y}))
    tables = runtime.complete({"x": x, "y": y, "x_query": x})
    block, groups = tables["layout.block"], [tables[f"layout.group.{number}"] for number in range(4)]

    def weight(*chosen: Array) -> Array:
        return wide_readout(state, 2, block, chosen, scale=False, response=False)["cached.weight"]

    probability = group_probabilities(state, 2, block, groups)
    assert probability.shape == (B, 4, 2)
    assert not probability[:, 3].any(), "a plan of three groups leaves the fourth out"
    assert (probability[:, :3] > 1e-3).all()
    assert_close(probability.sum(1), np.ones((B, 2)), "sum")
    average = sum(probability[:, i, None] * weight(groups[i]) for i in range(3))
    assert_close(average, weight(*groups), "weight", rtol=1e-9)


CLASSES = [(200, 3, 2, 0.0), (30, 5, 3, 0.2), (7, 2, 5, 0.0), (60, 70, 3, 0.0), (1, 4, 3, 0.0), (0, 4, 3, 0.0)]


@pytest.mark.parametrize(("rows", "inputs", "classes", "missing"), CLASSES)
def test_both_classify_alike(repository: Repository, rows: int, inputs: int, classes: int, missing: float) -> None:
    """One class of them does not occur."""
    runtime, generator = repository.get("classifier"), np.random.default_rng(rows)
    x = generator.normal(size=(B, rows + 3, inputs))
    label = (x[..., 0] > 0).astype(int) * generator.integers(1, max(classes - 1, 2), x.shape[:2])
    gaps = np.where(generator.random(x.shape) < missing, np.nan, x)
    tensors = {"x": gaps[:, :rows], "y": np.eye(classes)[label[:, :rows]], "x_query": gaps[:, rows:]}
    tensors["weight"] = generator.uniform(0.2, 2.0, (B, rows))
    found = {}
    try:
        for wide in (sys.maxsize, 0):
            runtime.wide = wide
            found[wide] = runtime.run(tensors)
    finally:
        runtime.wide = WIDE
    inside, behind = found[sys.maxsize], found[0]
    assert np.abs(inside["prediction"] - behind["prediction"]).max() <= 1e-8
    assert np.abs(inside["prediction"].sum(2) - 1.0).max() < 1e-12
    for name in ("readout.weight", "readout.center"):
        assert np.abs(inside[name] - behind[name]).max() <= 1e-8 * max(np.abs(inside[name]).max(), 1e-12), name
    assert (inside["readout.metric"] == 0).tolist() == (behind["readout.metric"] == 0).tolist()


@pytest.mark.parametrize("column", [0, 2])
@pytest.mark.parametrize(("share", "varies"), [(0.99, False), (1.01, True)])
def test_a_variation_that_rounding_may_have_left_of_its_peak_is_none(column: int, share: float, varies: bool) -> None:
    peak, comoment = np.array([3e3, 5.0, 7e6, 11.0]), np.eye(4)
    comoment[column, column] = share * RESIDUE * peak[column]
    moments = {"state.count": np.array(5.0), "state.mean": np.zeros(4)}
    found = varying({**moments, "state.comoment": comoment, "state.peak": peak}) > 0
    assert found[column] == varies
    assert np.delete(found, column).all()
