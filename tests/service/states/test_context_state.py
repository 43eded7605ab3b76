"""However observations come in, a memory knows what one shot at all of them would know."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidInput, NumericOverflow, UnsupportedByModel
from service.inference.artifact import Manifest
from service.inference.checks import Limits
from service.inference.distribution import NOTHING
from service.inference.predictor import Observations
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.registry.repository import Repository
from service.settings import Settings
from service.states.context_state import ContextState, answer, new_state
from service.states.forgetting import Decay
from service.states.learning import learn
from service.states.merge import join
from service.states.readouts import ReadoutCache
from tests.closeness import assert_close
from tests.service.kept import both, draw, part, weighed

LIMITS = Limits(max_columns=30, max_predictions=100, max_observations=500)
ROUNDING = {"float64": 1e-8, "float32": 2e-5}
"""Two ways to one answer differ by rounding alone, relative to the largest entry."""
STREAMING = [
    "classifier", "classifier-1.0.0", "gd-1", "gd-8", "linear", "linear-1.0.0", "linear-2step-trained",
    "linear-trained", "linear-vector-trained", "nonlinear", "sine-4step-trained", "sine-trained", "softmax-1",
]  # fmt: skip
SETS = ["classifier", "classifier-1.0.0", "gd-1", "gd-8", "linear", "linear-1.0.0", "nonlinear", "softmax-1"]
seeds = st.integers(0, 2**32 - 1)


@cache
def zoo() -> dict[str, Runtime]:
    """The models by name, and lower versions than the highest by name and version."""
    models: dict[str, Runtime] = {}
    for runtime in Repository.load([Settings().zoo], 1).served():
        name = runtime.manifest.name
        models[f"{name}-{runtime.manifest.version}" if name in models else name] = runtime
    return models


def observations(name: str, seed: int, length: int = 11) -> tuple[Observations, Array]:
    """Data of the widths and the kind that a model takes, and queries."""
    manifest, generator = zoo()[name].manifest, np.random.default_rng(seed)
    inputs, outputs = (
        size if isinstance(size, int) else free for size, free in zip(manifest.dims.values(), (5, 3), strict=True)
    )
    x = generator.normal(size=(length, inputs))
    y = generator.normal(size=(length, outputs))
    if manifest.task == "classification":
        y = np.eye(outputs)[generator.integers(0, outputs, length)]
    return Observations(x, y), generator.normal(size=(4, inputs))


def remember(name: str, *parts: Observations, decay: Decay = None) -> ContextState:
    memory = new_state(zoo()[name].manifest, decay)
    for some in parts:
        memory = learn(zoo()[name], LIMITS, memory, some)
    return memory


def ask(name: str, memory: ContextState, query: Array) -> Array:
    return answer(zoo()[name], LIMITS, memory, query).prediction


def at_once(name: str, context: Observations, query: Array) -> Array:
    tensors = {"x": context.x[None], "y": context.y[None], "x_query": query[None]}
    if context.weight is not None:
        tensors["weight"] = context.weight[None]
    prediction: Array = zoo()[name].run(tensors)["prediction"][0]
    return prediction


def close(name: str, actual: Array, expected: Array) -> None:
    assert_close(actual, expected, "prediction", rtol=ROUNDING[zoo()[name].manifest.dtype])


def runtime_of(name: str) -> Runtime:
    return zoo()[name]


def manifest(name: str) -> Manifest:
    return zoo()[name].manifest


def test_these_are_all_the_models_that_stream() -> None:
    assert sorted(STREAMING) == sorted(name for name, runtime in zoo().items() if runtime.manifest.streams)
    assert sorted(SETS) == sorted(name for name, runtime in zoo().items() if runtime.manifest.merge.rule != "none")


@pytest.mark.slow
@pytest.mark.parametrize("name", STREAMING)
@given(seed=seeds)
def test_however_it_is_split_a_stream_answers_as_one_shot(name: str, seed: int) -> None:
    context, query = observations(name, seed)
    cuts = np.sort(np.random.default_rng(seed).integers(0, 12, 3))
    pieces = [part(context, rows) for rows in np.split(np.arange(11), cuts) if len(rows)]
    close(name, ask(name, remember(name, *pieces), query), at_once(name, context, query))


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
@given(seed=seeds)
def test_the_order_of_two_parts_does_not_matter(name: str, seed: int) -> None:
    context, query = observations(name, seed)
    a, b = part(context, slice(4)), part(context, slice(4, None))
    close(name, ask(name, remember(name, a, b), query), ask(name, remember(name, b, a), query))


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
@given(seed=seeds)
def test_joining_is_observing_both(name: str, seed: int) -> None:
    context, query = observations(name, seed)
    parts = [part(context, slice(4)), part(context, slice(4, None))]
    joined = join(runtime_of(name), *(remember(name, some) for some in parts))
    close(name, ask(name, joined, query), at_once(name, context, query))
    assert joined.n_observations == 11


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
@given(seed=seeds)
def test_weight_minus_one_takes_an_observation_out(name: str, seed: int) -> None:
    context, query = observations(name, seed)
    wrong, right = part(context, slice(3)), part(context, slice(3, None))
    memory = remember(name, context, weighed(wrong, -1))
    assert_close(ask(name, memory, query), at_once(name, right, query), "prediction", rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
@given(seed=seeds)
def test_when_all_is_taken_out_nothing_is_left(name: str, seed: int) -> None:
    context, query = observations(name, seed)
    weight = np.random.default_rng(seed).uniform(0.1, 3.0, 11)
    order = np.random.default_rng(seed).permutation(11)
    memory = remember(name, weighed(context, weight))
    for row in order:
        memory = learn(zoo()[name], LIMITS, memory, weighed(part(context, slice(row, row + 1)), -weight[row]))
    assert memory.is_empty
    assert memory.tensors is not None
    assert all((tensor == 0).all() for tensor in memory.tensors.values())
    with pytest.raises(InvalidInput, match="empty"):
        ask(name, memory, query)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_a_tenth_a_thousand_times_is_taken_out_to_nothing(name: str) -> None:
    context, _ = observations(name, 0, 1)
    memory = remember(name, *[weighed(context, 0.1)] * 1000, weighed(context, -100.0))
    assert memory.is_empty


def test_no_more_can_be_taken_out_than_is_there() -> None:
    context, _ = observations("linear", 0)
    with pytest.raises(InvalidInput, match="takes out 22; this context holds 11") as refused:
        remember("linear", context, weighed(context, -2))
    assert refused.value.problems[0].field == "weight"
    with pytest.raises(InvalidInput, match="holds 0"):
        remember("linear", weighed(context, -1))


def test_a_single_negative_weight_is_welcome() -> None:
    context, query = observations("linear", 0)
    memory = remember("linear", context, weighed(part(context, slice(1)), -1))
    close("linear", ask("linear", memory, query), at_once("linear", part(context, slice(1, None)), query))


@pytest.mark.parametrize("name", sorted(set(STREAMING) - set(SETS)))
def test_what_learns_in_order_takes_nothing_out_joins_nothing_and_takes_no_decay(name: str) -> None:
    context, _ = observations(name, 0)
    with pytest.raises(UnsupportedByModel, match="cannot take observations out"):
        remember(name, context, weighed(context, -1))
    with pytest.raises(UnsupportedByModel, match="do not merge"):
        join(runtime_of(name), remember(name, context), remember(name))
    with pytest.raises(UnsupportedByModel, match="decay"):
        new_state(manifest(name), 0.9)


def test_before_the_first_observation_the_columns_that_the_model_fixes_are_known() -> None:
    free, fixed = new_state(manifest("linear"), None), new_state(manifest("sine-trained"), None)
    assert (free.inputs, free.outputs) == (None, None)
    assert (fixed.inputs, fixed.outputs) == (1, 1)


def test_only_a_context_that_chooses_its_decay_has_a_memory_length() -> None:
    context, _ = observations("linear", 0)
    assert new_state(manifest("linear"), "auto").memory_length == 0.0
    assert 0.0 < (remember("linear", context, decay="auto").memory_length or 0.0) <= len(context.x)
    assert remember("linear", context, decay=0.9).memory_length is None


@pytest.mark.parametrize("decay", [None, 0.9, "auto"])
def test_what_a_state_answers_with_is_worked_out_once(decay: Decay) -> None:
    context, query = observations("linear", 0)
    memory, readouts = remember("linear", context, decay=decay), ReadoutCache()
    state = memory.tensors or {}
    assert not readouts.find(state, NOTHING)
    first = answer(runtime_of("linear"), LIMITS, memory, query, readouts=readouts).prediction
    kept = readouts.find(state, NOTHING)
    assert kept
    assert_close(answer(runtime_of("linear"), LIMITS, memory, query, readouts=readouts).prediction, first, "prediction")
    assert readouts.find(state, NOTHING) is kept


def test_what_has_no_state_remembers_nothing() -> None:
    with pytest.raises(UnsupportedByModel, match="softmax-8 has no state"):
        new_state(manifest("softmax-8"), None)


def test_an_empty_memory_joins_as_nothing() -> None:
    context, query = observations("gd-1", 0)
    seen, empty = remember("gd-1", context), remember("gd-1")
    for joined in (join(runtime_of("gd-1"), seen, empty), join(runtime_of("gd-1"), empty, seen)):
        close("gd-1", ask("gd-1", joined, query), at_once("gd-1", context, query))


def test_y_comes_back_as_it_went_in() -> None:
    rows, query = observations("linear", 0)
    numbers, one = Observations(rows.x, rows.y[:, 0]), Observations(rows.x, rows.y[:, :1])
    assert ask("linear", remember("linear", numbers), query).shape == (4,)
    assert ask("linear", remember("linear", one), query).shape == (4, 1)
    with pytest.raises(InvalidInput, match=r"y: is rows of 1; this context takes numbers\. Send numbers\.$"):
        remember("linear", numbers, one)
    with pytest.raises(InvalidInput, match=r"do not fit: one has .*\. Merge contexts alike\.$"):
        join(runtime_of("linear"), remember("linear", numbers), remember("linear", one))


def test_widths_stay_what_they_were() -> None:
    wide, query = observations("linear", 0)
    with pytest.raises(InvalidInput, match=r"x: has 4 columns; this context takes 5\. Send 5\.$"):
        remember("linear", wide, Observations(wide.x[:, :4], wide.y))
    with pytest.raises(InvalidInput, match=r"y: is rows of 2; this context takes rows of 3\. Send rows of 3\.$"):
        remember("linear", wide, Observations(wide.x, wide.y[:, :2]))
    with pytest.raises(InvalidInput, match=r"query: has 4 features; .* has 5\. Send 5 features per query\.$"):
        ask("linear", remember("linear", wide), query[:, :4])
    with pytest.raises(InvalidInput, match=r"do not fit: one has .*\. Merge contexts alike\.$"):
        join(runtime_of("gd-1"), remember("gd-1", wide), remember("gd-1", Observations(wide.y, wide.x)))


@pytest.mark.parametrize(
    ("x", "y", "weight", "message"),
    [
        ((0, 5), (0, 3), None, "x: has no rows"),
        ((7, 5), (6, 3), None, "y: has 6 entries; x has 7 rows"),
        ((7, 5), (7, 3), (5,), "weight: has 5 entries"),
        ((7, 20), (7, 11), None, "at most 30"),
        ((501, 2), (501, 1), None, "at most 500"),
    ],
)
def test_observations_that_do_not_fit_are_refused(
    x: tuple[int, ...], y: tuple[int, ...], weight: tuple[int, ...] | None, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        remember("linear", Observations(np.ones(x), np.ones(y), None if weight is None else np.ones(weight)))


def test_a_model_of_its_own_widths_says_which() -> None:
    with pytest.raises(InvalidInput, match="x: has 4 columns; model linear-trained takes 10"):
        remember("linear-trained", draw(0, inputs=4, outputs=1))


def test_numbers_beyond_floating_point_are_refused() -> None:
    context, query = observations("linear", 0)
    with pytest.raises(NumericOverflow, match=r"x\[0\]\[0\]: is \S+e\+199, too large for sums of squares"):
        remember("linear", Observations(1e200 * context.x, context.y))
    with pytest.raises(InvalidInput, match=r"float64 holds, with those before\. Send smaller weights\.$"):
        remember("linear", weighed(context, 1.7e308))
    with pytest.raises(InvalidInput, match="is not a parameter"):
        answer(zoo()["linear"], LIMITS, remember("linear", context), query, {"speed": 1.0})


def test_padding_counts_as_a_row_and_as_nothing_else() -> None:
    context, query = observations("linear", 0)
    memory = remember("linear", weighed(context, 0))
    assert (memory.n_observations, memory.n_counted, memory.is_empty) == (11, 0, True)
    memory = learn(zoo()["linear"], LIMITS, memory, context)
    close("linear", ask("linear", memory, query), at_once("linear", both(weighed(context, 0), context), query))
