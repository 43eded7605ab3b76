"""Archives with a right hash that hold what no observations lead to: each is refused, and named."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from service.contexts import serialization
from service.contexts.service import ContextService
from service.errors import InvalidInput, NumericOverflow, UnsupportedByModel
from service.inference.artifact import Manifest
from service.inference.checks import Limits
from service.inference.predictor import Observations
from service.states.context_state import COUNT_LIMIT, ContextState, FeatureScale, new_state
from service.states.history import HistoryHeader
from service.states.learning import learn
from service.states.merge import join
from tests.service.contexts.test_serialization import Header, Tensors, forge, labelled, replaced
from tests.service.kept import OWNER, draw
from tests.service.states.test_context_state import LIMITS, STREAMING, manifest, observations, remember, runtime_of, zoo

Change = Callable[[Tensors, Header], object]


def read(file: bytes, model: str) -> ContextState:
    """Import a memory, but for keeping it."""
    found = serialization.state_of_archive(serialization.read(file), manifest(model))
    serialization.check_imported(found, manifest(model), Limits(100, 100))
    return found


def entry(name: str, place: int, value: float) -> Change:
    def change(tensors: Tensors, _: Header) -> None:
        tensors[name] = tensors[name].copy()
        tensors[name].flat[place] = value

    return change


IMPOSSIBLE: list[tuple[str, int, Change, str]] = [
    ("linear", 7, replaced("state.count", np.array([-1e-9])), "a negative number, in state.count"),
    ("linear", 7, entry("state.mean", 0, np.nan), "not a finite number, in state.mean"),
    ("nonlinear", 7, entry("state.center", 0, np.inf), "not a finite number, in state.center"),
    ("linear", 7, entry("state.mean", 0, -1e300), r"a value beyond 1e\+150, in state.mean"),
    ("linear", 7, entry("state.count", 0, 0.0), "sums of no observations"),
    ("linear", 7, entry("state.count", 0, 1e300), "speak of 7 observations"),
    ("nonlinear", 7, entry("state.buffer", 3, -1e300), r"a value beyond 1e\+150, in state.buffer"),
    ("linear", 7, entry("state.count_of_squares", 0, 5e-324), "speak of 7 observations"),
    ("linear", 7, entry("state.count_of_squares", 0, 0.4), "speak of 7 observations"),
    ("linear", 7, labelled(turnover=1e308), "speak of 7 observations"),
    ("gd-1", 7, entry("state.count", 0, 0.0), "sums of no observations"),
    ("linear", 7, entry("state.peak", 0, -1e-9), "a negative number, in state.peak"),
    ("linear", 7, entry("state.comoment.upper", 0, -0.001), "sums that no observations lead to"),
    ("linear-1.0.0", 7, entry("state.comoment.upper", 0, -0.001), "sums that no observations lead to"),
    ("gd-1", 7, entry("state.gated_sum", 0, -0.001), "a negative sum of squares, in state.gated_sum"),
    ("nonlinear", 7, entry("state.frozen", 0, 0.5), "neither 0 nor 1, in state.frozen"),
    ("nonlinear", 7, entry("state.spread", 1, -1e-9), "a negative number, in state.spread"),
    ("nonlinear", 7, entry("state.frozen", 0, 1.0), "observations that wait for a scale which is fixed"),
    ("nonlinear", 7, entry("state.buffer_weight", 6, 1.1), "another sum of weights than their observations have"),
    ("nonlinear", 40, entry("state.frozen", 0, 0.0), "another sum of weights than their observations have"),
    ("sine-trained", 7, entry("state.last_weight", 0, -1.0), "a negative number, in state.last_weight"),
    ("linear", 7, labelled(n_observations=6), "a history of 7 rows, of 6 observations"),
    ("linear", 7, labelled(n_counted=8), "speak of 7 observations"),
    ("linear", 7, labelled(n_counted=0), "speak of 7 observations"),
    ("linear", 7, labelled(turnover=6.9), "speak of 7 observations"),
    ("linear", 7, labelled(inputs=10**30), "no exported context"),
    ("linear", 7, labelled(inputs=2**31 - 1), "other tensors"),
    ("linear", 7, labelled(outputs=2**31), "no exported context"),
    ("linear", 7, labelled(n_observations=COUNT_LIMIT + 1), "no exported context"),
    ("linear", 7, labelled(columns={"x": ["a", "b"], "y": None}), "speak of 5 columns of x"),
    ("linear", 7, labelled(columns={"x": ["a"] * 5, "y": None}), "no exported context"),
    ("linear", 7, labelled(columns={"z": None}), "no exported context"),
    ("linear-trained", 7, labelled(inputs=9), "speak of 9 columns of x and 1 of y"),
    ("linear-trained", 7, labelled(decay=0.9), "learnt by itself what to forget"),
    ("linear-trained", 7, labelled(decay="auto"), "gives none"),
    ("gd-1", 7, labelled(decay="auto"), "gives none"),
    ("gd-1", 7, labelled(scale=[[0.0] * 5, [1.0] * 5]), "makes? no features|states merge without one"),
    ("nonlinear", 40, labelled(scale=[[0.0] * 5, [1.0] * 5]), "another scale than the one that they declare"),
    ("nonlinear", 40, labelled(scale=[[0.0] * 4, [1.0] * 4]), "speak of 5 columns of x"),
]


@pytest.mark.parametrize(("model", "rows", "change", "message"), IMPOSSIBLE)
def test_what_no_observations_lead_to_is_refused(model: str, rows: int, change: Change, message: str) -> None:
    memory = serialization.canonical_state(remember(model, observations(model, 0, rows)[0]))
    read(forge(memory, lambda *_: None, model), model)
    with pytest.raises(InvalidInput, match=message) as refused:
        read(forge(memory, change, model), model)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    "change",
    [
        labelled(n_observations=1),
        labelled(n_counted=1),
        labelled(turnover=5e-324),
        labelled(flat_y=True),
        labelled(flat_y=False),
        labelled(inputs=5),
        labelled(outputs=1),
    ],
)
def test_what_speaks_of_observations_and_holds_no_state_is_refused(change: Change) -> None:
    empty = new_state(manifest("linear"), None)
    assert read(forge(empty, lambda *_: None), "linear") == empty
    with pytest.raises(InvalidInput, match=r"speak of [01] observations, or of their columns, and hold no state"):
        read(forge(empty, change), "linear")


def test_the_columns_of_a_declared_scale_or_of_a_model_are_no_observations() -> None:
    scaled = new_state(manifest("nonlinear"), None, FeatureScale((0.0,) * 5, (1.0,) * 5))
    assert read(forge(scaled, lambda *_: None, "nonlinear"), "nonlinear") == scaled
    for inputs in (None, 4):
        with pytest.raises(InvalidInput, match="hold no state"):
            read(forge(scaled, labelled(inputs=inputs), "nonlinear"), "nonlinear")
    fixed = new_state(manifest("linear-trained"), None)
    assert read(forge(fixed, lambda *_: None, "linear-trained"), "linear-trained") == fixed


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_negative_sum_of_squares_is_refused_beyond_rounding(unit: float) -> None:
    seen = observations("gd-1", 0, 7)[0]
    memory = serialization.canonical_state(remember("gd-1", Observations(unit * seen.x, unit * seen.y)))
    assert memory.tensors is not None
    largest = np.diagonal(memory.tensors["state.gated_sum"][0]).max()
    read(forge(memory, entry("state.gated_sum", 0, -1e-7 * largest), "gd-1"), "gd-1")
    with pytest.raises(InvalidInput, match=r"a negative sum of squares, in state\.gated_sum"):
        read(forge(memory, entry("state.gated_sum", 0, -1e-5 * largest), "gd-1"), "gd-1")


def stateless() -> Manifest:
    (found,) = [runtime.manifest for runtime in zoo().values() if not runtime.manifest.streams]
    return found


def test_a_state_of_a_model_that_keeps_none_is_refused(contexts: ContextService) -> None:
    for memory in (ContextState(), remember("gd-1", draw(1))):
        with pytest.raises(UnsupportedByModel, match="has no state to keep"):
            contexts.load(OWNER, serialization.export(stateless(), memory))


SOME = ["linear", "nonlinear"]


@pytest.mark.parametrize("model", SOME)
def test_waiting_observations_of_decay_auto_have_positive_weights(model: str) -> None:
    memory = serialization.canonical_state(remember(model, observations(model, 0, 7)[0], decay="auto"))
    assert read(forge(memory, lambda *_: None, model), model).decay == "auto"
    for weight in (0.0, -1.0):
        with pytest.raises(InvalidInput, match=r"a weight that is not positive, in drift.weight"):
            read(forge(memory, entry("drift.weight", 0, weight), model), model)
    with pytest.raises(InvalidInput, match=r"a negative number, in state.count"):
        read(forge(memory, entry("state.count", 3, -1.0), model), model)


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_columns_of_which_all_cells_are_there_or_none_are_possible(model: str) -> None:
    context, _ = observations(model, 0)
    x = context.x.copy()
    x[:, 0], x[0, 1] = np.nan, np.nan
    memory = remember(model, context._replace(x=x))
    assert memory.tensors is not None
    assert {0.0, 1.0} < set(memory.tensors["state.present"].ravel())
    found = read(forge(memory, labelled(), model), model)
    assert found.n_observations == len(x)
    for value in (-1e-5, 1 + 1e-5):
        with pytest.raises(InvalidInput, match=r"a share that is not between 0 and 1, in state\.present"):
            read(forge(memory, entry("state.present", 0, value), model), model)


def test_half_a_matrix_is_all_that_is_read_of_it() -> None:
    memory = serialization.canonical_state(remember("linear", draw(1)))
    assert memory.tensors is not None

    def in_full(tensors: Tensors, _: Header) -> None:
        tensors.pop("state.comoment.upper")
        tensors["state.comoment"] = np.triu(memory.tensors["state.comoment"]) if memory.tensors else np.zeros(0)

    with pytest.raises(InvalidInput, match=r"state.comoment in full"):
        read(forge(memory, in_full), "linear")


@pytest.mark.parametrize("model", STREAMING)
def test_no_context_counts_more_rows_than_can_be_told(model: str) -> None:
    runtime = runtime_of(model)
    new, _ = observations(model, 0, 3)
    memory = replace(remember(model, new), n_observations=COUNT_LIMIT - 3)
    full = learn(runtime, LIMITS, memory, new)
    assert full.n_observations == COUNT_LIMIT
    assert (
        read(serialization.export(manifest(model), serialization.canonical_state(full)), model).n_observations
        == COUNT_LIMIT
    )
    with pytest.raises(InvalidInput, match=rf"^x: would make {COUNT_LIMIT + 3} observations"):
        learn(runtime, LIMITS, full, new)
    if runtime.manifest.merge.rule != "none":
        assert join(runtime, memory, remember(model, new)).n_observations == COUNT_LIMIT
        with pytest.raises(InvalidInput, match=r"^context: would make"):
            join(runtime, full, remember(model, new))


def test_weights_that_sum_to_more_than_can_be_told_are_refused() -> None:
    runtime = runtime_of("gd-1")
    memory = replace(remember("gd-1", draw(1)), absolute_weight_sum=1.7e308)
    heavy = Observations(draw(2).x * 1e-200, draw(2).y * 1e-200, np.full(7, 2e307))
    with pytest.raises(InvalidInput, match="weight: sums to more than float64 holds"):
        learn(runtime, LIMITS, memory, heavy)
    with pytest.raises(InvalidInput, match="context: sums to more than float64 holds"):
        join(runtime, memory, memory)


def test_a_merge_beyond_floating_point_is_refused() -> None:
    runtime = runtime_of("gd-1")
    memory = remember("gd-1", draw(1))
    assert memory.tensors is not None
    large = replace(memory, tensors={**memory.tensors, "state.gated_sum": np.full((1, 8, 8), 1.7e308)})
    with pytest.raises(NumericOverflow):
        join(runtime, large, large)


def test_a_history_of_values_without_squares_is_refused() -> None:
    found = {"rows": 1, "squares": 1.0, "gross_squares": 1.0, "least_weight": 1.0, "sums": None, "digits": None}
    with pytest.raises(ValueError, match="values beyond"):
        HistoryHeader.model_validate({**found, "levels": ((1e300,),)}).history(1)


@pytest.mark.parametrize("decay", [0.9, "auto"])
def test_weights_whose_squares_are_beyond_floating_point_are_refused(decay: float | str) -> None:
    runtime = runtime_of("linear")
    seen = Observations(draw(1).x * 1e-130, draw(1).y * 1e-130, np.full(7, 1.5e160))
    with pytest.raises(NumericOverflow), np.errstate(over="ignore"):
        learn(runtime, LIMITS, new_state(runtime.manifest, decay), seen)  # type: ignore[arg-type]
