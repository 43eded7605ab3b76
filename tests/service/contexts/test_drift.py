"""A context with decay auto: it does not matter how a stream is split, it follows what changes, and only forward."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdssm.decay_average import DECAYS
from service.contexts.records import Change
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.errors import InvalidInput, NumericOverflow, UnsupportedByModel
from service.explaining.implicit_weights import implicit_weights_in
from service.explaining.terms import PARTS, Part
from service.inference.distribution import Wanted
from service.inference.predictor import Observations
from service.inference.sizes import Array
from service.registry.repository import Repository
from service.states.context_state import ContextState, FeatureScale, answer, new_state
from service.states.drift import BLOCK
from service.states.learning import learn
from service.store.database import Database
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.service.contexts.test_serialization import forge
from tests.service.kept import OTHER_OWNER, OWNER, Clock, draw, keep, part, weighed
from tests.service.states.test_context_state import LIMITS, STREAMING, manifest, remember, runtime_of

WITH_SCALE = ["linear", "nonlinear"]
each = pytest.mark.parametrize("name", WITH_SCALE)
seeds = st.integers(0, 2**32 - 1)
QUERY = draw(99, 4).x
LEVEL = 0.9


def auto(name: str, *parts: Observations) -> ContextState:
    return remember(name, *parts, decay="auto")


def drifting(seed: int, length: int, walk: float = 0.0, jump: int | None = None, noise: float = 0.3) -> Observations:
    """A linear relation of five columns that walks, or jumps once."""
    generator = np.random.default_rng(seed)
    steps = walk * generator.normal(size=(length, 5))
    relation = generator.normal(size=5) + steps.cumsum(0)
    if jump is not None:
        relation[jump:] = generator.normal(size=5)
    x = generator.normal(size=(length, 5))
    return Observations(x, (x * relation).sum(1) + noise * generator.normal(size=length))


def prequential(memory: ContextState, context: Observations) -> tuple[Array, Array]:
    """Predict every observation before it is learnt: errors, and whether intervals hold y."""
    runtime, errors, inside = runtime_of("linear"), [], []
    for i in nonempty(range(len(context.x))):
        row = part(context, slice(i, i + 1))
        if not memory.is_empty:
            found = answer(runtime, LIMITS, memory, row.x, wanted=Wanted(LEVEL))
            assert found.lower is not None
            assert found.upper is not None
            errors.append(row.y[0] - found.prediction[0])
            inside.append(found.lower[0] <= row.y[0] <= found.upper[0])
        memory = learn(runtime, LIMITS, memory, row)
    return np.array(errors), np.array(inside)


def same(one: ContextState, other: ContextState) -> None:
    assert one.tensors is not None
    assert other.tensors is not None
    assert one.tensors.keys() == other.tensors.keys()
    for tensor, expected in other.tensors.items():
        np.testing.assert_array_equal(one.tensors[tensor], expected, tensor)


@pytest.mark.slow
@each
@given(seed=seeds)
def test_however_it_is_split_the_state_is_the_same_to_the_bit(name: str, seed: int) -> None:
    context = draw(seed, length=41)
    cuts = np.sort(np.random.default_rng(seed).integers(0, 42, 3))
    pieces = [part(context, rows) for rows in np.split(np.arange(41), cuts) if len(rows)]
    same(auto(name, *pieces), auto(name, context))


@pytest.mark.slow
@each
def test_one_row_at_a_time_is_all_rows_at_once_with_weights_and_missing_cells(name: str) -> None:
    context = draw(1, length=43)
    generator = np.random.default_rng(1)
    context.x[generator.random(context.x.shape) < 0.1] = np.nan
    context = weighed(context, generator.choice([0.0, 0.5, 1.0, 3.0], 43))
    single, whole = auto(name, *(part(context, slice(i, i + 1)) for i in range(43))), auto(name, context)
    same(single, whole)
    assert single.n_observations == whole.n_observations == 43
    one, other = (answer(runtime_of(name), LIMITS, memory, QUERY).prediction for memory in (single, whole))
    np.testing.assert_array_equal(one, other)


@each
def test_rows_of_weight_0_make_nothing_older(name: str) -> None:
    context = draw(2, length=20)
    weight = np.ones(20)
    weight[[0, 3, 19]] = 0
    same(auto(name, weighed(context, weight)), auto(name, part(context, np.flatnonzero(weight))))


@pytest.mark.parametrize("length", [1, 2, BLOCK - 1])
def test_the_first_observations_are_averaged_evenly(length: int) -> None:
    """Nothing was predicted yet, so every factor has the same weight."""
    context = draw(3, length)
    each = [
        answer(runtime_of("linear"), LIMITS, remember("linear", context, decay=float(decay)), QUERY).prediction
        for decay in DECAYS
    ]
    found = answer(runtime_of("linear"), LIMITS, auto("linear", context), QUERY).prediction
    assert_close(found, np.mean(each, axis=0), "prediction", rtol=1e-8)


def test_order_matters() -> None:
    a, b = draw(4, 20), draw(5, 20)
    shifted = Observations(b.x, b.y + 5.0)
    forward, backward = (
        answer(runtime_of("linear"), LIMITS, auto("linear", *order), QUERY).prediction
        for order in ((a, shifted), (shifted, a))
    )
    assert np.abs(forward - backward).max() > 1.0


@pytest.mark.slow
def test_after_a_jump_it_forgets_what_was_before_and_in_peace_it_remembers() -> None:
    still, jumped = (auto("linear", drifting(6, 260, jump=jump)) for jump in (None, 200))
    assert still.memory_length is not None
    assert jumped.memory_length is not None
    assert still.memory_length > 150
    assert jumped.memory_length < 70


@pytest.mark.slow
def test_it_predicts_a_drift_nearly_as_the_best_fixed_factor() -> None:
    context = drifting(7, 300, walk=0.1, jump=150)
    fixed = min(
        np.square(prequential(new_state(manifest("linear"), decay), context)[0][10:]).mean()
        for decay in (None, 0.99, 0.97, 0.93, 0.9, 0.85)
    )
    errors, _ = prequential(new_state(manifest("linear"), "auto"), context)
    assert np.square(errors[10:]).mean() < 1.05 * fixed


@pytest.mark.slow
@pytest.mark.parametrize(("walk", "low", "high"), [(0.0, 0.86, 0.94), (0.05, 0.86, 0.97)])
def test_intervals_hold_what_they_say(walk: float, low: float, high: float) -> None:
    inside = np.concatenate(
        [prequential(new_state(manifest("linear"), "auto"), drifting(seed, 200, walk))[1][10:] for seed in range(4)]
    )
    assert low < inside.mean() < high


def test_intervals_quantiles_and_notes_are_as_of_any_context() -> None:
    context = draw(8, 30, outputs=2)
    context.x[:, 1] = 3.0
    query = np.vstack([QUERY, np.full(5, 1e4)])
    wanted = Wanted(0.8, (0.1, 0.5, 0.9))
    found = answer(runtime_of("linear"), LIMITS, auto("linear", context), query, wanted=wanted)
    assert found.lower is not None
    assert found.upper is not None
    assert found.quantiles is not None
    for quantile, expected in zip(found.quantiles, (found.lower, found.prediction, found.upper), strict=True):
        assert_close(quantile, expected, "quantile", rtol=1e-10)
    assert {note.code: note.columns or note.queries for note in found.notes} == {
        "constant_columns": (1,),
        "beyond_observations": (4,),
    }


def test_after_one_observation_there_is_a_prediction_and_no_interval() -> None:
    found = answer(runtime_of("linear"), LIMITS, auto("linear", draw(9, 1)), QUERY, wanted=Wanted(0.5))
    assert np.isfinite(found.prediction).all()
    assert found.lower is not None
    assert np.isnan(found.lower).all()
    assert [note.code for note in found.notes] == ["one_observation"]


def test_implicit_weights_are_those_of_the_average() -> None:
    memory = auto("linear", drifting(10, 45, walk=0.1))
    found = implicit_weights_in(runtime_of("linear"), memory)
    near = 0.1 * QUERY
    expected = answer(runtime_of("linear"), LIMITS, memory, near).prediction
    assert_close(near @ found.weights + found.intercept, expected, "prediction", rtol=1e-8)


def test_it_is_explained_by_the_implicit_weights_alone(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ContextSpec("linear", decay="auto"), draw(1, 10))
    _, _, explanation = contexts.predict(OWNER, record.id, QUERY, explain=PARTS)
    assert explanation.implicit_weights is not None
    assert explanation.effects is None
    effects: tuple[Part, ...] = ("effects",)
    with pytest.raises(UnsupportedByModel, match="averages several models"):
        contexts.predict(OWNER, record.id, QUERY, explain=effects)
    other = contexts.create(OWNER, ContextSpec("nonlinear", decay="auto"), draw(1, 10))
    with pytest.raises(UnsupportedByModel, match="averages several models"):
        contexts.predict(OWNER, other.id, QUERY, explain=PARTS)


@pytest.mark.parametrize("name", [name for name in STREAMING if name not in WITH_SCALE])
def test_models_without_a_scale_are_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedByModel, match=f"model {manifest(name).name} .* gives none. Use linear or nonlinear"):
        new_state(manifest(name), "auto")


@each
def test_nothing_is_taken_out(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"weight: must not be negative: this context forgets \(decay auto\)"):
        auto(name, draw(1), weighed(draw(1), -1))


def test_numbers_beyond_floating_point_are_refused_at_once_and_leave_the_context_as_it_is(
    contexts: ContextService,
) -> None:
    record = contexts.create(OWNER, ContextSpec("linear", decay="auto"), draw(1, 10))
    huge = Observations(np.full((1, 5), 1e200), np.full((1, 3), 1e200))
    with pytest.raises(NumericOverflow, match=r"x\[0\]\[0\]: is 1e\+200, too large for sums of squares"):
        contexts.observe(OWNER, record.id, huge)
    assert contexts.observe(OWNER, record.id, draw(2, 10)).n_observations == 20


@pytest.mark.slow
@each
def test_it_survives_store_restart_export_and_import(
    name: str, database: Database, repository: Repository, clock: Clock
) -> None:
    first, rest = draw(1, 21), draw(2, 22)
    contexts = keep(database, repository, clock)
    record = contexts.create(OWNER, ContextSpec(name, decay="auto"), first)
    assert record.decay == "auto"
    again = keep(database, repository, clock)
    assert again.get(OWNER, record.id) == record
    assert again.list(OWNER, 10).contexts == (record,)
    loaded = again.load(OTHER_OWNER, again.export(OWNER, record.id)[0])
    assert (loaded.decay, loaded.memory_length) == ("auto", record.memory_length)
    expected = answer(runtime_of(name), LIMITS, auto(name, first, rest), QUERY, wanted=Wanted(LEVEL))
    for owner, context in ((OWNER, record), (OTHER_OWNER, loaded)):
        again.observe(owner, context.id, rest)
        found = keep(database, repository, clock).predict(owner, context.id, QUERY, wanted=Wanted(LEVEL))[0]
        np.testing.assert_array_equal(found.prediction, expected.prediction)
        np.testing.assert_array_equal(found.upper, expected.upper)


def test_an_empty_one_is_auto_already(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ContextSpec("linear", decay="auto"), change=Change("once"))
    assert contexts.create(OWNER, ContextSpec("linear", decay="auto"), change=Change("once")) == record
    assert (contexts.get(OWNER, record.id).decay, record.memory_length) == ("auto", 0.0)


def test_a_declared_scale_is_that_of_every_factor() -> None:
    runtime = runtime_of("nonlinear")
    scale = (0.5,) * 5, (2.0,) * 5
    memory = learn(runtime, LIMITS, new_state(runtime.manifest, "auto", FeatureScale(*scale)), draw(1, 20))
    assert memory.tensors is not None
    assert (memory.tensors["state.frozen"] == 1).all()
    assert (memory.tensors["state.spread"] == 2).all()


def test_two_of_them_are_not_merged_nor_with_others(contexts: ContextService) -> None:
    one, other = (contexts.create(OWNER, ContextSpec("linear", decay="auto"), draw(seed)) for seed in (1, 2))
    with pytest.raises(InvalidInput, match='context: cannot be merged: with decay "auto" the order'):
        contexts.merge(OWNER, one.id, other.id)


FORGED = {
    "a factor less": lambda tensors, _: tensors.update({"drift.log_weight": tensors["drift.log_weight"][1:]}),
    "as many rows waiting as are learnt": lambda tensors, _: tensors.update(
        {name: np.repeat(tensors[name][:1], BLOCK, 0) for name in ("drift.x", "drift.y", "drift.weight")}
    ),
    "a weight below zero": lambda tensors, _: tensors.update({"drift.weight": -tensors["drift.weight"]}),
    "a y that is no number": lambda tensors, _: tensors.update({"drift.y": np.nan * tensors["drift.y"]}),
    "no weights of factors": lambda tensors, _: tensors.pop("drift.log_weight"),
    "a fixed decay": lambda _, label: label.update({"decay": 0.9}),
    "a decay of another name": lambda _, label: label.update({"decay": "atuo"}),
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED.keys())
def test_bytes_that_no_context_wrote_are_refused(contexts: ContextService, change: object) -> None:
    with pytest.raises(InvalidInput, match="The bytes"):
        contexts.load(OWNER, forge(auto("linear", draw(1, 11)), change))  # type: ignore[arg-type]
