"""States with missing cells and with features merge and fade as their observations would."""

import numpy as np
import pytest

from service.errors import InvalidInput
from service.inference.checks import Limits
from service.inference.distribution import Wanted
from service.inference.predictor import Observations
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.registry.repository import Repository
from service.states.context_state import ContextState, answer, new_state
from service.states.forgetting import fade
from service.states.learning import learn
from service.states.merge import join, merge
from service.states.readouts import ReadoutCache
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.service.kept import part

LIMITS = Limits(max_columns=30, max_predictions=100, max_observations=500)
N, D, K = 40, 3, 2
GENERATOR = np.random.default_rng(1)
X = GENERATOR.normal(size=(N, D)) * [1.0, 10.0, 0.1] + [0.0, 1e6, 3.0]
Y = X[:, :K] + GENERATOR.normal(size=(N, K))
GAPS = np.where(GENERATOR.random((N, D)) < 0.3, np.nan, X)
QUERY = X[:4] + 0.1


def remember(
    runtime: Runtime, *parts: Observations, decay: float | None = None, start: ContextState | None = None
) -> ContextState:
    memory = start or new_state(runtime.manifest, decay)
    for some in parts:
        memory = learn(runtime, LIMITS, memory, some)
    return memory


def declared(runtime: Runtime) -> ContextState:
    """A context whose features have the scale of all observations from the start."""
    whole = runtime.state_after(runtime.run({"x": X[None], "y": Y[None]}))
    empty = {name: np.zeros_like(tensor) for name, tensor in whole.items()}
    scale = {name: whole[name] for name in ("state.frozen", "state.center", "state.spread")}
    return ContextState(tensors=empty | scale, inputs=D, outputs=K, y_is_1d=False)


def ask(runtime: Runtime, memory: ContextState) -> tuple[Array, Array]:
    found = answer(runtime, LIMITS, memory, QUERY, wanted=Wanted(0.9))
    assert found.upper is not None
    return found.prediction, found.upper


def assert_alike(runtime: Runtime, actual: ContextState, expected: ContextState) -> None:
    for name, a, b in zip(("prediction", "upper"), ask(runtime, actual), ask(runtime, expected), strict=True):
        assert_close(a - Y.mean(), b - Y.mean(), name, rtol=1e-7)


@pytest.mark.parametrize("x", [X, GAPS, np.vstack([X[:20], GAPS[20:]]), np.vstack([GAPS[:20], X[20:]])])
def test_merging_is_observing_both(repository: Repository, x: Array) -> None:
    runtime, context = repository.get("linear"), Observations(x, Y)
    parts = [part(context, slice(20)), part(context, slice(20, None))]
    joined = join(runtime, *(remember(runtime, some) for some in parts))
    assert_alike(runtime, joined, remember(runtime, context))


def test_a_cell_that_is_missing_is_not_a_number_to_learn_from(repository: Repository) -> None:
    runtime = repository.get("linear")
    filled = np.where(np.isnan(GAPS), np.nanmean(GAPS, 0), GAPS)
    state = remember(runtime, Observations(GAPS, Y)).tensors
    assert state is not None
    assert_close(state["state.mean"][0, K:], np.nanmean(GAPS, 0), "mean")
    assert_close(state["state.present"][0], (~np.isnan(GAPS)).mean(0), "present")
    z = np.hstack([Y, filled, ~np.isnan(GAPS)])
    assert_close(state["state.comoment"][0], (z - z.mean(0)).T @ (z - z.mean(0)), "comoment", rtol=1e-9)


@pytest.mark.parametrize("sizes", [(10, 12), (10, 30), (30, 10)])
def test_features_that_are_not_scaled_yet_merge_as_observations(repository: Repository, sizes: tuple[int, int]) -> None:
    runtime, context = repository.get("nonlinear"), Observations(X, Y)
    a, b = part(context, slice(sizes[0])), part(context, slice(sizes[0], sum(sizes)))
    joined = join(runtime, remember(runtime, a), remember(runtime, b))
    assert_alike(runtime, joined, remember(runtime, part(context, slice(sum(sizes)))))


def test_features_of_one_declared_scale_merge_exactly(repository: Repository) -> None:
    runtime, context = repository.get("nonlinear"), Observations(X, Y)
    start = declared(runtime)
    parts = [remember(runtime, part(context, rows), start=start) for rows in (slice(5), slice(5, None))]
    assert_alike(runtime, join(runtime, *parts), remember(runtime, context, start=start))


def test_features_of_two_scales_do_not_merge(repository: Repository) -> None:
    runtime, context = repository.get("nonlinear"), Observations(X, Y)
    frozen = [remember(runtime, part(context, rows)) for rows in (slice(33), slice(5, None))]
    with pytest.raises(InvalidInput, match="scale their features differently"):
        join(runtime, *frozen)


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
@pytest.mark.parametrize("weight", [None, np.arange(N) % 3.0, np.linspace(0.3, 2.1, N)])
def test_fading_row_by_row_is_fading_at_once(repository: Repository, model: str, weight: Array | None) -> None:
    runtime = repository.get(model)
    context = Observations(X[:30], Y[:30], None if weight is None else weight[:30])
    rows = [part(context, slice(i, i + 1)) for i in range(30)]
    at_once, streamed = remember(runtime, context, decay=0.9), remember(runtime, *rows, decay=0.9)
    assert_alike(runtime, streamed, at_once)
    assert at_once.tensors is not None
    assert streamed.tensors is not None
    name = "state.count_of_squares"
    assert_close(streamed.tensors[name], at_once.tensors[name], name)


def test_a_share_of_nothing_is_nothing(repository: Repository) -> None:
    runtime = repository.get("nonlinear")
    state = remember(runtime, Observations(X, Y)).tensors
    assert state is not None
    gone = fade(runtime.manifest, state, 0.0)
    scale = {"state.frozen", "state.center", "state.spread"}
    assert scale < gone.keys()
    assert all((gone[name] == 0).all() for name in nonempty(gone.keys() - scale))
    assert_close(merge(runtime.manifest, gone, state)["state.comoment"], state["state.comoment"], "comoment")


def test_a_readout_is_worked_out_once_for_a_state(repository: Repository) -> None:
    runtime, readouts = repository.get("nonlinear"), ReadoutCache()
    memory = remember(runtime, Observations(X, Y))
    assert memory.tensors is not None
    without = answer(runtime, LIMITS, memory, QUERY, readouts=readouts)
    assert readouts.find(memory.tensors, Wanted())
    assert not readouts.find(memory.tensors, Wanted(0.9)), "the scale was not worked out"
    first, second = (answer(runtime, LIMITS, memory, QUERY, wanted=Wanted(0.9), readouts=readouts) for _ in range(2))
    assert readouts.find(memory.tensors, Wanted(0.9))
    for answered in (without, first, second):
        assert_close(answered.prediction, ask(runtime, memory)[0], "prediction", rtol=1e-12)
    assert first.upper is not None
    assert second.upper is not None
    assert_close(second.upper, first.upper, "upper", rtol=1e-12)


def test_readouts_are_bounded(repository: Repository) -> None:
    runtime = repository.get("linear")
    memories = [remember(runtime, Observations(X + i, Y)) for i in range(3)]
    readouts = ReadoutCache(limit=1500)
    for memory in memories:
        answer(runtime, LIMITS, memory, QUERY, readouts=readouts)
    kept = [bool(memory.tensors is not None and readouts.find(memory.tensors, Wanted())) for memory in memories]
    assert kept[-1]
    assert not kept[0]
