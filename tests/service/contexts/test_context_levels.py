"""Contexts with columns that are levels of categories: as one shot, with levels that come later, and stored."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import select

from gdssm.prior import BUFFERED
from service.column_names import ColumnNames
from service.contexts import serialization
from service.contexts.records import Change
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.errors import Conflict, InvalidInput, UnsupportedByModel
from service.explaining.explanation import explain_state, predict_and_explain
from service.inference.checks import Limits
from service.inference.distribution import Wanted
from service.inference.predictor import Observations, Predictor
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.levels import Levels
from service.lru_cache import LruCache
from service.registry.repository import Repository
from service.states.context_state import ContextState, FeatureScale, answer, new_state
from service.states.forgetting import Decay
from service.states.learning import learn
from service.states.merge import join
from service.store.tables import CONTEXTS
from tests.closeness import assert_close
from tests.service.contexts.test_serialization import forge
from tests.service.kept import OTHER_OWNER, OWNER, step_of
from tests.service.states.test_context_state import runtime_of

LEVELS = (1, 2, 4, 5, 6)
"""Of seven columns: a category of two levels and one of three, whose last level may be new; 0 and 3 are numbers."""
EARLY = LEVELS[:-1]
LIMITS = Limits(max_columns=30, max_predictions=1000, max_observations=500)
NAMES = ColumnNames(tuple("abcdefg"), ("y",))
ROUNDING = 1e-7
models = pytest.mark.parametrize("model", ["linear", "nonlinear", "classifier"])


def draw(seed: int, rows: int, *, model: str = "linear", late: bool = True) -> Observations:
    """Draw observations with all levels, or of six columns without the last level."""
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=(rows, 2))
    two, three = (np.eye(count)[generator.integers(0, count - (not late), rows)] for count in (2, 3))
    x = np.column_stack([numbers[:, 0], two, numbers[:, 1], three])
    y = np.sin(2 * x[:, 0]) + x[:, 4:] @ [-2.0, 0.0, 3.0] + 0.1 * generator.normal(size=rows)
    if model == "classifier":
        y = np.eye(2)[(y > 0).astype(int)]
    return Observations(x, y, levels=LEVELS) if late else Observations(x[:, :6], y, levels=EARLY)


def with_zeros(narrow: Observations) -> Observations:
    """The same observations, with the last level as a column of zeros."""
    return narrow._replace(x=np.pad(narrow.x, ((0, 0), (0, 1))), levels=LEVELS)


def together(*parts: Observations) -> Observations:
    x, y = (np.concatenate([getattr(some, name) for some in parts]) for name in ("x", "y"))
    weights = [np.ones(len(some.x)) if some.weight is None else some.weight for some in parts]
    return Observations(x, y, np.concatenate(weights), parts[0].levels)


def remember(
    runtime: Runtime, *parts: Observations, decay: Decay = None, scale: FeatureScale | None = None
) -> ContextState:
    state = new_state(runtime.manifest, decay, scale)
    for some in parts:
        state = learn(runtime, LIMITS, state, some)
    return state


def ask(runtime: Runtime, state: ContextState) -> Array:
    return answer(runtime, LIMITS, state, draw(9, 8).x).prediction


def one_shot(predictor: Predictor, model: str, *parts: Observations) -> Array:
    return predictor.predict(model, together(*parts), draw(9, 8).x).prediction


@models
def test_a_stream_with_levels_equals_one_shot(predictor: Predictor, model: str) -> None:
    parts = [draw(seed, 30, model=model) for seed in (1, 2)]
    runtime = runtime_of(model)
    found = ask(runtime, remember(runtime, *parts))
    assert_close(found, one_shot(predictor, model, *parts), "prediction", rtol=ROUNDING)
    as_numbers = ask(runtime, remember(runtime, *(some._replace(levels=()) for some in parts)))
    assert np.abs(found - as_numbers).max() > 1e-3


@models
@pytest.mark.parametrize("rows", [20, 60])
def test_a_level_that_appears_later_equals_a_column_of_zeros_before(
    predictor: Predictor, model: str, rows: int
) -> None:
    runtime, early, late = runtime_of(model), draw(1, rows, model=model, late=False), draw(2, 30, model=model)
    state = remember(runtime, early, late)
    assert (state.inputs, state.levels) == (7, LEVELS)
    if model == "linear" or rows <= BUFFERED:  # later observations do not change the scale of features
        expected = one_shot(predictor, model, with_zeros(early), late)
        assert_close(ask(runtime, state), expected, "prediction", rtol=ROUNDING)
    whole = remember(runtime, with_zeros(early), late)
    assert state.tensors is not None
    assert whole.tensors is not None
    for name, tensor in whole.tensors.items():
        assert_close(state.tensors[name], tensor, name, rtol=ROUNDING)
    assert state.history is not None
    assert whole.history is not None
    columns = 7 + (state.outputs or 0)
    np.testing.assert_array_equal(state.history.gaps(columns), whole.history.gaps(columns))


@pytest.mark.parametrize("decay", [0.9, "auto"])
def test_contexts_that_forget_take_levels_too(decay: Decay) -> None:
    runtime, early, late = runtime_of("linear"), draw(1, 21, late=False), draw(2, 30)
    found = ask(runtime, remember(runtime, early, late, decay=decay))
    expected = ask(runtime, remember(runtime, with_zeros(early), late, decay=decay))
    assert_close(found, expected, "prediction", rtol=ROUNDING)
    one = remember(runtime, with_zeros(early), decay=decay)
    for i in range(len(late.x)):
        one = learn(runtime, LIMITS, one, Observations(late.x[i : i + 1], late.y[i : i + 1], levels=LEVELS))
    assert_close(ask(runtime, one), expected, "prediction in steps", rtol=ROUNDING)


@models
def test_merging_equals_observing_both_also_where_one_lacks_a_level(predictor: Predictor, model: str) -> None:
    runtime, early, late = runtime_of(model), draw(1, 20, model=model, late=False), draw(2, 25, model=model)
    scale = None
    if model == "nonlinear":
        scale = FeatureScale((0.0,) * 6, (1.0, 0.0, 0.0, 1.0, 0.0, 0.0))
    narrow = remember(runtime, early, scale=scale)
    wider = FeatureScale((*scale.center, 0.0), (*scale.spread, 0.0)) if scale else None
    wide = remember(runtime, late, scale=wider)
    for pair in ((narrow, wide), (wide, narrow)):
        joined = join(runtime, *pair)
        assert (joined.inputs, joined.levels, joined.scale) == (7, LEVELS, wider)
        expected = ask(runtime, remember(runtime, with_zeros(early), late, scale=wider))
        assert_close(ask(runtime, joined), expected, "prediction", rtol=ROUNDING)
    if scale is None:
        assert_close(ask(runtime, joined), one_shot(predictor, model, with_zeros(early), late), "one shot", rtol=1e-6)


def test_buffered_observations_merge_with_their_levels(predictor: Predictor) -> None:
    runtime, early, late = runtime_of("nonlinear"), draw(1, 12, late=False), draw(2, 15)
    joined = join(runtime, remember(runtime, early), remember(runtime, late))
    expected = one_shot(predictor, "nonlinear", with_zeros(early), late)
    assert_close(ask(runtime, joined), expected, "prediction", rtol=ROUNDING)


@pytest.mark.parametrize(
    "other",
    [draw(2, 9)._replace(levels=()), draw(2, 9)._replace(levels=(1, 2)), draw(2, 9)._replace(levels=(0, 1, 2, 4, 5))],
)
def test_contexts_of_different_levels_do_not_merge(other: Observations) -> None:
    runtime = runtime_of("linear")
    pair = remember(runtime, draw(1, 9, late=False)), remember(runtime, other)
    with pytest.raises(InvalidInput, match=r"7 columns of x.* Merge contexts alike\."):
        join(runtime, *pair)


@models
def test_taking_out_undoes_observations_with_levels(model: str) -> None:
    runtime, early, late = runtime_of(model), draw(1, 40, model=model, late=False), draw(2, 20, model=model)
    before = remember(runtime, early, late)
    for wrong in (draw(3, 5, model=model), with_zeros(draw(4, 5, model=model, late=False))):
        polluted = learn(runtime, LIMITS, before, wrong)
        cleaned = learn(runtime, LIMITS, polluted, wrong._replace(weight=-np.ones(5)))
        assert_close(ask(runtime, cleaned), ask(runtime, before), "prediction", rtol=1e-6)
    without = learn(runtime, LIMITS, before, late._replace(weight=-np.ones(20)))
    kept = answer(runtime, LIMITS, without, with_zeros(early).x[:8]).prediction
    expected = answer(runtime, LIMITS, remember(runtime, early), early.x[:8]).prediction
    assert_close(kept, expected, "prediction without the late level", rtol=1e-6)


def test_a_context_of_which_all_was_taken_out_takes_a_further_level() -> None:
    runtime, early, late = runtime_of("linear"), draw(1, 9, late=False), draw(2, 30)
    empty = remember(runtime, early, early._replace(weight=-np.ones(9)))
    assert empty.is_empty
    found = ask(runtime, learn(runtime, LIMITS, empty, late))
    assert_close(found, ask(runtime, remember(runtime, late)), "prediction", rtol=ROUNDING)


@models
def test_explanations_of_a_context_equal_those_of_its_observations(predictor: Predictor, model: str) -> None:
    parts, runtime = [draw(1, 15), draw(2, 40)], runtime_of(model)
    if model == "classifier":
        with pytest.raises(UnsupportedByModel):
            explain_state(runtime, remember(runtime, draw(1, 9, model=model)), LIMITS, explain=["blocks"])
        return
    found = explain_state(runtime, remember(runtime, *parts), LIMITS, explain=["blocks"])
    _, expected = predict_and_explain(predictor, model, together(*parts), draw(9, 8).x, explain=["blocks"])
    strengths = [{block.block: block.strength for block in one.blocks or ()} for one in (found, expected)]
    assert "levels" in strengths[0]
    assert strengths[0].keys() == strengths[1].keys()
    for name, strength in strengths[1].items():
        assert_close(strengths[0][name], strength, name, rtol=1e-6)
    if model == "linear":
        weights = explain_state(runtime, remember(runtime, *parts), LIMITS, explain=["implicit_weights"])
        assert weights.implicit_weights is not None
        query = draw(9, 8).x
        linear = query @ weights.implicit_weights.weights + weights.implicit_weights.intercept
        assert_close(linear, ask(runtime, remember(runtime, *parts)), "implicit weights", rtol=1e-6)


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ((), r"^levels: are \[\]; this context has \[1, 2, 4, 5\]\. Send these\.$"),
        ((1, 2), r"^levels: are \[1, 2\]; this context has \[1, 2, 4, 5\]"),
        ((0, 1, 2, 4, 5), r"^levels: are \[0, 1, 2, 4, 5\]; this context has"),
        ((1, 1), r"^levels: must be different columns"),
        ((6,), r"^levels: must be different columns"),
    ],
)
def test_later_observations_have_the_levels_of_the_context(levels: Levels, message: str) -> None:
    runtime, early = runtime_of("linear"), draw(1, 9, late=False)
    with pytest.raises(InvalidInput, match=message):
        learn(runtime, LIMITS, remember(runtime, early), early._replace(levels=levels))


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        (EARLY, r"^x: has 7 columns; this context takes 6\."),
        ((1, 2, 6), r"^levels: are \[1, 2, 6\]; this context has \[1, 2, 4, 5, 6\]"),
    ],
)
def test_further_columns_are_levels_and_follow_those_of_the_context(levels: Levels, message: str) -> None:
    runtime = runtime_of("linear")
    state = remember(runtime, draw(1, 9, late=False))
    with pytest.raises(InvalidInput, match=message):
        learn(runtime, LIMITS, state, draw(2, 9)._replace(levels=levels))


def test_models_of_numbers_refuse_levels() -> None:
    with pytest.raises(UnsupportedByModel, match=r"^levels: are not supported by model gd-1"):
        remember(runtime_of("gd-1"), draw(1, 9))


def test_levels_are_found_by_the_names_of_their_columns() -> None:
    runtime, order = runtime_of("linear"), [6, 3, 0, 5, 1, 2, 4]
    early, late = draw(1, 9, late=False), draw(2, 30)
    named_early = early._replace(columns=ColumnNames(tuple("abcdef"), ("y",)))
    turned = late._replace(
        x=late.x[:, order],
        levels=(0, 3, 4, 5, 6),
        columns=ColumnNames(tuple(np.array([*"abcdefg"])[order].tolist()), ("y",)),
    )
    state = remember(runtime, named_early, turned)
    assert (state.columns, state.levels) == (NAMES, LEVELS)
    assert_close(ask(runtime, state), ask(runtime, remember(runtime, with_zeros(early), late)), "prediction")
    with pytest.raises(InvalidInput, match=r"^columns\.x: has 6 names; this context is for 7 columns"):
        learn(runtime, LIMITS, remember(runtime, named_early), late)
    named = remember(runtime, late._replace(columns=NAMES))
    for narrow in (remember(runtime, named_early), remember(runtime, early)):
        assert join(runtime, narrow, named).columns == NAMES
    for columns in (None, ColumnNames(tuple("bacdefg"))):
        other = remember(runtime, late._replace(columns=columns))
        with pytest.raises(InvalidInput, match=r"has 6 names|are named"):
            join(runtime, remember(runtime, named_early), other)


def forget(contexts: ContextService) -> None:
    """Read the next context from its row, as another process does."""
    contexts.repository._cache = LruCache()


def read_again(contexts: ContextService, name: str) -> tuple[str, str]:
    forget(contexts)
    return OWNER, name


def imported(contexts: ContextService, name: str) -> tuple[str, str]:
    return OTHER_OWNER, contexts.load(OTHER_OWNER, contexts.export(OWNER, name)[0]).id


@pytest.mark.parametrize("again", [lambda _, name: (OWNER, name), read_again, imported])
@pytest.mark.parametrize("decay", [None, "auto"])
def test_stored_contexts_keep_their_levels(
    contexts: ContextService, again: Callable[[ContextService, str], tuple[str, str]], decay: Decay
) -> None:
    early, late, runtime = draw(1, 20, late=False), draw(2, 30), runtime_of("nonlinear")
    owner, name = again(contexts, contexts.create(OWNER, ContextSpec("nonlinear", decay=decay), early).id)
    assert contexts.observe(owner, name, late).inputs == 7
    expected = ask(runtime, remember(runtime, early, late, decay=decay))
    assert_close(contexts.predict(owner, name, draw(9, 8).x)[0].prediction, expected, "prediction", rtol=ROUNDING)
    forget(contexts)
    assert_close(contexts.predict(owner, name, draw(9, 8).x)[0].prediction, expected, "read again", rtol=ROUNDING)
    assert contexts.view(owner, name).weights is None


def test_contexts_without_levels_are_stored_as_by_earlier_versions(contexts: ContextService) -> None:
    numbers, with_levels = draw(1, 9)._replace(levels=()), draw(1, 9)
    for some, is_written in ((numbers, False), (with_levels, True)):
        record = contexts.create(OWNER, ContextSpec("linear"), some)
        with contexts._database.reading() as connection:
            stored: bytes = connection.execute(select(CONTEXTS.c.state).where(CONTEXTS.c.id == record.id)).scalar_one()
        for file in (stored, contexts.export(OWNER, record.id)[0]):
            assert (b'levels\\":[1,' in file) == is_written
            assert (b'\\"levels\\":[]' in file) is False


@pytest.mark.parametrize("levels", [[1, 1], [5, 4], [7], [-1], ["a"], [True]])
def test_an_import_with_other_levels_is_refused(contexts: ContextService, levels: list[object]) -> None:
    file = forge(remember(runtime_of("linear"), draw(1, 9)), lambda _, header: header.update(levels=levels))
    with pytest.raises(InvalidInput):
        contexts.load(OWNER, file)


def test_an_import_with_levels_without_observations_is_refused(contexts: ContextService) -> None:
    file = forge(new_state(runtime_of("linear").manifest, None), lambda _, header: header.update(levels=[0]))
    with pytest.raises(InvalidInput):
        contexts.load(OWNER, file)


def test_the_same_key_with_other_levels_is_a_conflict(contexts: ContextService) -> None:
    record, change = contexts.create(OWNER, ContextSpec("linear")), Change("a key")
    contexts.observe(OWNER, record.id, draw(1, 9), change)
    with pytest.raises(Conflict):
        contexts.observe(OWNER, record.id, draw(1, 9)._replace(levels=(1, 2)), change)


def test_a_step_predicts_at_a_level_that_is_new(contexts: ContextService) -> None:
    early, late, runtime = draw(1, 30, late=False), draw(2, 1), runtime_of("linear")
    name = contexts.create(OWNER, ContextSpec("linear"), early).id
    step = step_of(contexts, OWNER, name, late, None, Wanted(0.9))
    expected = answer(runtime, LIMITS, remember(runtime, with_zeros(early)), late.x).prediction
    assert step.prediction is not None
    assert step.error is not None
    assert_close(step.prediction.prediction, expected, "prediction", rtol=ROUNDING)
    assert_close(step.error, late.y - expected, "error", rtol=ROUNDING)
    assert step.record.inputs == 7


def test_a_file_of_numbers_alone_refuses_a_stored_context_with_levels(repository: Repository) -> None:
    runtime = repository.get("linear")
    state = remember(runtime, draw(1, 9))
    numbers = runtime.manifest.model_copy(update={"column_kinds": ("number",)})
    fields = {name: getattr(state, name) for name in serialization.ROW_FIELDS}
    with pytest.raises(UnsupportedByModel):
        serialization.restore(serialization.store(state), numbers, fields)
    again = serialization.restore(serialization.store(state), runtime.manifest, fields)
    assert replace(again, tensors=None, history=None) == replace(state, tensors=None, history=None)
