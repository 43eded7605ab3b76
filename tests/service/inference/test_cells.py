"""A context that meets its first missing cell late knows what it would know had it expected one from the start."""

from collections.abc import Mapping

import numpy as np
import pytest

from service.inference.cells import with_indicators
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from tests.closeness import assert_close
from tests.properties.backends import ZOO

B, D, K, F = 2, 5, 3, 4
COLUMNS = K + D


def state(batch: int = B, buffered: int = 0) -> dict[str, Array]:
    """Make a state of distinct numbers for contexts without a missing cell; the last context is empty."""
    size, generator = COLUMNS + F, np.random.default_rng(0)
    tensors: dict[str, Array] = {
        "state.count": generator.uniform(1, 9, batch),
        "state.mean": generator.normal(size=(batch, COLUMNS)),
        "state.present": np.zeros((batch, 0)),
        "state.comoment": generator.normal(size=(batch, size, size)),
        "state.buffer_present": np.zeros((batch, 32, 0)),
        "state.buffer_weight": np.where(np.arange(32) < buffered, 0.5, 0.0) * np.ones((batch, 1)),
        "x": np.zeros((batch, 7, D)),
    }
    for name in ("state.count", "state.mean", "state.comoment", "state.buffer_weight"):
        tensors[name][-1] = 0.0
    return tensors


def test_indicators_come_between_the_columns_and_the_features() -> None:
    tensors = state()
    comoment = with_indicators(tensors, D)["state.comoment"]
    kept = [*range(COLUMNS), *range(COLUMNS + D, COLUMNS + D + F)]
    assert comoment.shape == (B, COLUMNS + D + F, COLUMNS + D + F)
    assert_close(comoment[:, kept][:, :, kept], tensors["state.comoment"], "comoment")
    assert not np.delete(comoment, kept, axis=1).any()
    assert not np.delete(comoment, kept, axis=2).any()


def test_all_cells_of_a_context_were_there_and_none_of_an_empty_one() -> None:
    assert with_indicators(state(), D)["state.present"].tolist() == [[1.0] * D, [0.0] * D]


def test_cells_of_buffered_observations_are_there() -> None:
    present = with_indicators(state(buffered=11), D)["state.buffer_present"]
    assert present.shape == (B, 32, D)
    assert present[0, :11].all()
    assert not present[0, 11:].any()
    assert not present[1].any()


def test_a_state_with_indicators_stays_as_it_is() -> None:
    tensors = state()
    assert with_indicators({**tensors, **with_indicators(tensors, D)}, D) == {}


def test_no_state_is_an_empty_one() -> None:
    found = with_indicators({"x": np.zeros((B, 7, D))}, D)
    assert found.keys() == {"state.present"}
    assert_close(found["state.present"], np.zeros((B, D)), "present")


def test_what_is_given_is_not_changed() -> None:
    tensors = state(buffered=11)
    before = {name: tensor.copy() for name, tensor in tensors.items()}
    with_indicators(tensors, D)
    for name, tensor in before.items():
        assert_close(tensors[name], tensor, name)


@pytest.fixture(scope="module", params=["linear", "nonlinear"])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    return Runtime.load(ZOO / f"{request.param}.onnx")


def observe(runtime: Runtime, x: Array, y: Array, state: Mapping[str, Array] | None = None) -> dict[str, Array]:
    return runtime.state_after(runtime.run({"x": x, "y": y, **(state or {})}))


@pytest.mark.parametrize("complete", [1, 7, 20])
def test_a_missing_cell_may_come_late(runtime: Runtime, complete: int) -> None:
    generator = np.random.default_rng(complete)
    x, y, x_query = (generator.normal(size=(B, *size)) for size in ((31, D), (31, K), (4, D)))
    x[:, complete:][generator.random((B, 31 - complete, D)) < 0.3] = np.nan
    x_query[:, 0, 2] = np.nan
    first = observe(runtime, x[:, :complete], y[:, :complete])
    assert first["state.present"].shape == (B, 0)
    late, once = observe(runtime, x[:, complete:], y[:, complete:], first), observe(runtime, x, y)
    assert late["state.present"].shape == (B, D)
    for name, tensor in once.items():
        assert_close(late[name], tensor, name, rtol=1e-9)
    found, expected = (runtime.run({**state, "x_query": x_query}) for state in (late, once))
    for name in ("prediction", "scale"):
        assert_close(found[name], expected[name], name, rtol=1e-9)
