"""Contexts with missing cells know the same however their rows arrive, and answer queries with missing cells."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from service.errors import InvalidInput
from service.inference.cells import with_indicators
from service.inference.checks import Limits
from service.inference.distribution import Note, Wanted
from service.inference.predictor import Observations, Prediction, Predictor
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.registry.repository import Repository
from service.states.context_state import ContextState, FeatureScale, answer, new_state
from service.states.learning import learn
from service.states.merge import join
from tests.closeness import assert_close
from tests.service.kept import part, weighed

LIMITS = Limits(max_columns=100, max_predictions=1000, max_observations=500)
N, D, K = 43, 5, 2
GENERATOR = np.random.default_rng(5)
X = GENERATOR.normal(size=(N, D)) * [1.0, 10.0, 0.1, 3.0, 1.0] + [0.0, 1e4, 3.0, -2.0, 1.0]
Y = X[:, :K] * [1.0, 0.1] + GENERATOR.normal(size=(N, K))
GAPS = np.where(GENERATOR.random((N, D)) < 0.3, np.nan, X)
GAPS[7] = np.nan
GAPS[:, 3] = np.nan
LATE = np.vstack([X[:20], GAPS[20:]])
QUERY = X[:6] + 0.1
QUERY[0, 2], QUERY[1, 1:4], QUERY[2] = np.nan, np.nan, np.nan
SCALE = FeatureScale((0.0, 1e4, 3.0, -2.0, 1.0), (1.0, 10.0, 0.1, 3.0, 1.0))

scaled = pytest.mark.parametrize(("model", "scale"), [("linear", None), ("nonlinear", SCALE)])
tables = pytest.mark.parametrize("x", [GAPS, LATE, LATE[::-1]], ids=["gaps", "late", "early"])


def remember(runtime: Runtime, *parts: Observations, scale: FeatureScale | None = None) -> ContextState:
    memory = new_state(runtime.manifest, None, scale)
    for some in parts:
        memory = learn(runtime, LIMITS, memory, some)
    return memory


def ask(runtime: Runtime, memory: ContextState, query: Array = QUERY) -> Prediction:
    return answer(runtime, LIMITS, memory, query, wanted=Wanted(0.9))


def assert_alike(actual: Prediction, expected: Prediction, rtol: float = 1e-7) -> None:
    for name in ("prediction", "lower", "upper"):
        assert_close(getattr(actual, name), getattr(expected, name), name, rtol=rtol)
    assert actual.notes == expected.notes


@scaled
@tables
def test_rows_in_any_order_and_pieces_are_all_rows_at_once(
    repository: Repository, model: str, scale: FeatureScale | None, x: Array
) -> None:
    runtime, context = repository.get(model), Observations(x, Y)
    whole = ask(runtime, remember(runtime, context, scale=scale))
    order = np.random.default_rng(0).permutation(N)
    rows = [part(context, order[i : i + 1]) for i in range(N)]
    pieces = [part(context, order[a:b]) for a, b in pairwise((0, 3, 20, N))]
    for parts in (rows, pieces):
        assert_alike(ask(runtime, remember(runtime, *parts, scale=scale)), whole)


@scaled
@tables
def test_merged_contexts_are_one_context(
    repository: Repository, model: str, scale: FeatureScale | None, x: Array
) -> None:
    runtime, context = repository.get(model), Observations(x, Y)
    whole = ask(runtime, remember(runtime, context, scale=scale))
    parts = [remember(runtime, part(context, slice(a, b)), scale=scale) for a, b in pairwise((0, 12, 20, N))]
    for first, second, third in (parts, parts[::-1], (parts[1], parts[2], parts[0])):
        assert_alike(ask(runtime, join(runtime, join(runtime, first, second), third)), whole)
        assert_alike(ask(runtime, join(runtime, first, join(runtime, second, third))), whole)


@pytest.mark.parametrize("x", [GAPS, LATE], ids=["gaps", "late"])
def test_buffered_features_merge_and_stream_too(repository: Repository, x: Array) -> None:
    runtime, context = repository.get("nonlinear"), Observations(x[10:40], Y[10:40])
    whole = ask(runtime, remember(runtime, context))
    parts = [part(context, slice(a, b)) for a, b in pairwise((0, 7, 10, 30))]
    assert_alike(ask(runtime, remember(runtime, *parts)), whole)
    first, second, third = (remember(runtime, some) for some in parts)
    assert_alike(ask(runtime, join(runtime, third, join(runtime, first, second))), whole)


@scaled
def test_a_row_with_missing_cells_is_taken_out_again(
    repository: Repository, model: str, scale: FeatureScale | None
) -> None:
    runtime = repository.get(model)
    complete, gaps = Observations(X[:20], Y[:20]), Observations(GAPS[20:], Y[20:])
    memory = remember(runtime, complete, gaps, weighed(gaps, -1.0), scale=scale)
    assert_alike(ask(runtime, memory), ask(runtime, remember(runtime, complete, scale=scale)))
    memory = remember(runtime, gaps, complete, weighed(complete, -1.0), scale=scale)
    assert_alike(ask(runtime, memory), ask(runtime, remember(runtime, gaps, scale=scale)))


def test_of_a_context_that_was_emptied_nothing_is_left(repository: Repository) -> None:
    runtime, gaps = repository.get("linear"), Observations(GAPS, Y)
    memory = remember(runtime, gaps, weighed(gaps, -1.0))
    assert memory.is_empty
    assert memory.tensors is not None
    assert not any(tensor.any() for tensor in memory.tensors.values())
    complete = Observations(X, Y)
    assert_alike(ask(runtime, learn(runtime, LIMITS, memory, complete)), ask(runtime, remember(runtime, complete)))


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
@pytest.mark.parametrize("rows", [1, 3, 20, N])
def test_a_query_may_miss_cells_that_no_observation_missed(repository: Repository, model: str, rows: int) -> None:
    """The context has no indicators; with indicators, which are constant, it answers the same."""
    runtime = repository.get(model)
    memory = remember(runtime, Observations(X[:rows], Y[:rows]))
    assert memory.tensors is not None
    assert memory.tensors["state.present"].shape == (1, 0)
    widened = replace(memory, tensors={**memory.tensors, **with_indicators(memory.tensors, D)})
    found, expected = (answer(runtime, LIMITS, some, QUERY) for some in (memory, widened))
    assert_close(found.prediction, expected.prediction, "prediction", rtol=1e-9)
    if model == "linear":  # the features of a mean are not the mean of the features
        assert_close(found.prediction[2], Y[:rows].mean(0), "prediction at a query of missing cells alone", rtol=1e-9)


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_where_all_cells_are_missing_the_mean_of_y_is_answered(repository: Repository, model: str) -> None:
    runtime = repository.get(model)
    found = ask(runtime, remember(runtime, Observations(np.full_like(X, np.nan), Y)))
    assert_close(found.prediction, np.tile(Y.mean(0), (len(QUERY), 1)), "prediction", rtol=1e-9)
    assert found.notes == (Note("constant_columns", columns=tuple(range(D))),)


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_a_column_that_is_missing_everywhere_is_left_out(repository: Repository, model: str) -> None:
    runtime, there = repository.get(model), [0, 1, 2, 4]
    found = ask(runtime, remember(runtime, Observations(GAPS, Y)), X[:4])
    expected = ask(runtime, remember(runtime, Observations(GAPS[:, there], Y)), X[:4, there])
    assert Note("constant_columns", columns=(3,)) in found.notes
    if model == "linear":  # `nonlinear` makes other features of four columns than of five
        assert_close(found.prediction, expected.prediction, "prediction", rtol=1e-7)


def test_a_column_whose_cells_tell_by_being_there_is_learnt_from(repository: Repository) -> None:
    """y is 1 where the cell is there, and 0 where it is missing."""
    runtime, there = repository.get("linear"), np.arange(N) % 3 > 0
    x = np.where(there, GENERATOR.normal(size=N), np.nan)[:, None]
    found = answer(
        runtime, LIMITS, remember(runtime, Observations(x, there.astype(float))), np.array([[0.3], [np.nan]])
    )
    np.testing.assert_allclose(found.prediction, [1.0, 0.0], atol=0.01)


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_wide_contexts_stream_with_missing_cells(repository: Repository, model: str) -> None:
    """More features than 64: the readout is computed behind the graph."""
    runtime, generator = repository.get(model), np.random.default_rng(0)
    x, y = generator.normal(size=(60, 70)), generator.normal(size=60)
    x[20:][generator.random((40, 70)) < 0.2] = np.nan
    context, query = Observations(x, y), np.where(generator.random((3, 70)) < 0.5, np.nan, 0.3)
    whole = ask(runtime, remember(runtime, context), query)
    parts = [part(context, rows) for rows in (slice(17), slice(17, None))]
    assert_alike(ask(runtime, remember(runtime, *parts), query), whole, rtol=1e-6)
    assert_alike(Predictor(repository, model, LIMITS).predict(model, context, query, wanted=Wanted(0.9)), whole, 1e-6)


@pytest.mark.parametrize("model", ["gd-1", "gd-8", "softmax-1"])
def test_models_without_missing_cells_refuse_them_by_place(repository: Repository, model: str) -> None:
    runtime, y = repository.get(model), np.eye(K)[np.arange(N) % K] if model == "softmax-1" else Y
    refused = rf"takes no missing cells \(version {runtime.manifest.version}\)"
    with pytest.raises(InvalidInput, match=rf"^x\[20\]\[0\]: is missing; model {model} {refused}") as found:
        learn(runtime, LIMITS, new_state(runtime.manifest, None), Observations(np.where(X[20, 0] == X, np.nan, X), y))
    assert len(found.value.problems) == 1
    memory = remember(runtime, Observations(X, y))
    with pytest.raises(InvalidInput, match=rf"^query\[0\]\[2\]: is missing; model {model} {refused}"):
        answer(runtime, LIMITS, memory, QUERY)
    predictor = Predictor(repository, model, LIMITS)
    for x, query, field in ((GAPS, X, "context.x"), (X, QUERY, "query")):
        predictor.predict(model, Observations(X, y), X[: len(query)])  # shapes that are known to fit
        with pytest.raises(InvalidInput) as found:
            predictor.predict(model, Observations(x, y), query)
        assert all(problem.field.startswith(field) for problem in found.value.problems)
