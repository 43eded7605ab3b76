"""Queries answered in one run of the graph are answered as alone; those with a decision are left to `answer`."""

from collections.abc import Sequence

import numpy as np
import pytest

from service.contexts.serialization import canonical_state
from service.errors import NumericOverflow
from service.inference.artifact import Manifest
from service.inference.checks import UNLIMITED, Limits
from service.inference.distribution import NOTHING, Wanted
from service.inference.predictor import Observations, Prediction
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.registry.repository import Repository
from service.settings import Settings
from service.states import stacking
from service.states.context_state import ContextState, Question, answer, new_state
from service.states.forgetting import AUTO, Decay
from service.states.learning import learn
from service.states.readouts import ReadoutCache
from service.states.stacking import predict_together
from tests.nonempty import nonempty
from tests.service.contexts import test_context_levels as context_levels

ROUNDING = 1e-11
"""Largest difference to a run alone, relative to the largest number of all contexts of a test."""
MODELS = [
    (runtime.manifest.name, runtime.manifest.version)
    for runtime in Repository.load([Settings().zoo], 1).served()
    if "state.count" in {spec.name for spec in runtime.manifest.state}
]
every_model = pytest.mark.parametrize(("name", "version"), MODELS)
ROWS = (1, 2, 3, 5, 9, 20, 40, 60)


def sizes_of(manifest: Manifest) -> tuple[int, int]:
    inputs, outputs = manifest.dims["D"], manifest.dims["K"]
    return (6 if inputs == "any" else int(inputs)), (3 if outputs == "any" else int(outputs))


def observations(manifest: Manifest, seed: int, rows: int, *, flat: bool = False) -> Observations:
    """Observations of which cells are missing for odd seeds, if the model takes such."""
    generator = np.random.default_rng(seed)
    inputs, outputs = sizes_of(manifest)
    x = generator.normal(size=(rows, inputs))
    y = x @ generator.normal(size=(inputs, outputs)) + 0.1 * generator.normal(size=(rows, outputs))
    if manifest.task == "classification":
        y = np.eye(outputs)[y.argmax(1)]
    if manifest.missing_cells and seed % 2:
        x[generator.random(x.shape) < 0.2] = np.nan
    return Observations(x, y[:, 0] if flat else y)


def begun(runtime: Runtime, seed: int, rows: int, *, flat: bool = False, decay: Decay = None) -> ContextState:
    new = observations(runtime.manifest, seed, rows, flat=flat)
    return canonical_state(learn(runtime, UNLIMITED, new_state(runtime.manifest, decay), new))


def queries(manifest: Manifest, seed: int, count: int = 3) -> Array:
    generator = np.random.default_rng(1000 + seed)
    query = generator.normal(size=(count, sizes_of(manifest)[0]))
    if manifest.missing_cells and seed % 3 == 0:
        query[0, 0] = np.nan
    return query


def alone(question: Question) -> Prediction:
    runtime, state, query, parameters, wanted = question
    return answer(runtime, UNLIMITED, state, query, parameters, wanted=wanted)


def assert_same(found: Sequence[Prediction | None], questions: Sequence[Question]) -> None:
    expected = [alone(question) for question in questions]
    for field in ("prediction", "lower", "upper", "quantiles"):
        pairs = [(getattr(one, field), getattr(other, field)) for one, other in zip(found, expected, strict=True)]
        if pairs[0][1] is None:
            assert all(pair == (None, None) for pair in nonempty(pairs))
            continue
        mine, theirs = (np.stack(side) for side in zip(*pairs, strict=True))
        largest = np.nanmax(np.abs(theirs), initial=0.0)
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=ROUNDING * largest, err_msg=field)
    for one, other in nonempty(list(zip(found, expected, strict=True))):
        assert one is not None
        assert (one.notes, one.n_observations, one.model) == (other.notes, other.n_observations, other.model)


@pytest.fixture(autouse=True)
def ample_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let contexts of every size share a run."""
    monkeypatch.setattr(stacking, "NUMBERS_LIMIT", 2**32)


@every_model
@pytest.mark.parametrize("wanted", [NOTHING, Wanted(0.9, (0.2, 0.5))])
def test_predictions_are_those_of_single_runs(repository: Repository, name: str, version: str, wanted: Wanted) -> None:
    runtime = repository.get(name, version)
    manifest = runtime.manifest
    if wanted.scale and not manifest.gives_scale:
        wanted = Wanted()
    parameters = {parameter.name: parameter.default + 0.25 for parameter in manifest.parameters}
    questions = [
        Question(runtime, begun(runtime, seed, rows), queries(manifest, seed), parameters, wanted)
        for seed, rows in enumerate(ROWS * 2)
    ]
    readouts = ReadoutCache()
    for _ in range(2):  # the second time with cached readouts
        assert_same(predict_together(questions, UNLIMITED, readouts), questions)


def test_contexts_of_several_kinds_are_answered_in_one_call(repository: Repository) -> None:
    questions = []
    for name in ("linear", "nonlinear", "classifier", "linear-trained", "gd-8"):
        runtime = repository.get(name)
        for seed in range(6):
            flat = seed % 2 == 1 and name in {"linear", "gd-8"}
            state = begun(runtime, 2 * seed, 20, flat=flat, decay=0.9 if name == "linear" and seed > 3 else None)
            level = Wanted(0.5 + 0.1 * (seed % 2)) if runtime.manifest.gives_scale else NOTHING
            questions.append(Question(runtime, state, queries(runtime.manifest, 1, 1 + seed // 3), {}, level))
    readouts = ReadoutCache()
    found = predict_together(questions[::-1], UNLIMITED, readouts)[::-1]
    for one, question in nonempty([pair for pair in zip(found, questions, strict=True) if pair[0] is not None]):
        assert_same([one], [question])
    assert sum(one is None for one in found) < len(found) // 2


def test_levels_are_answered_together(repository: Repository) -> None:
    runtime = repository.get("linear")
    questions = []
    for seed in range(8):
        new = context_levels.draw(seed, 30, late=seed % 2 == 0)
        state = canonical_state(learn(runtime, UNLIMITED, new_state(runtime.manifest, None), new))
        questions.append(Question(runtime, state, context_levels.draw(99, 2, late=seed % 2 == 0).x, {}, Wanted(0.9)))
    assert_same(predict_together(questions[::2], UNLIMITED, ReadoutCache()), questions[::2])
    assert_same(predict_together(questions, UNLIMITED, ReadoutCache())[1::2], questions[1::2])


def test_overflow_of_one_context_leaves_its_run_to_single_answers(repository: Repository) -> None:
    runtime = repository.get("gd-8")
    questions = [
        Question(runtime, begun(runtime, seed, 20), queries(runtime.manifest, seed), {}, NOTHING) for seed in range(4)
    ]
    questions[2] = questions[2]._replace(query=1e308 * np.sign(questions[2].query))
    with pytest.raises(NumericOverflow):
        alone(questions[2])
    assert predict_together(questions, UNLIMITED, ReadoutCache()) == [None] * 4
    assert_same(predict_together(questions[:2], UNLIMITED, ReadoutCache()), questions[:2])


def cases(runtime: Runtime) -> list[Question]:
    """Questions that are answered alone, or refused."""
    state, query = begun(runtime, 0, 20), queries(runtime.manifest, 1)
    plain = Question(runtime, state, query, {}, NOTHING)
    return [
        plain._replace(state=begun(runtime, 0, 20, decay=AUTO)),
        plain._replace(state=new_state(runtime.manifest, None)),
        plain._replace(query=query[:0]),
        plain._replace(query=query[:, :2]),
        plain._replace(parameters={"learning_rate": 1.0}),
        plain._replace(wanted=Wanted(1.5)),
    ]


@pytest.mark.parametrize("number", range(6))
def test_other_questions_are_left_to_single_answers(repository: Repository, number: int) -> None:
    question = cases(repository.get("linear"))[number]
    assert predict_together([question] * 2, UNLIMITED, ReadoutCache()) == [None, None]


def test_queries_over_a_limit_are_left_to_single_answers(repository: Repository) -> None:
    runtime = repository.get("linear")
    questions = [Question(runtime, begun(runtime, 0, 20), queries(runtime.manifest, 1), {}, NOTHING)] * 2
    assert predict_together(questions, Limits(1000, 8), ReadoutCache()) == [None, None]


def test_large_contexts_are_answered_in_several_runs(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = repository.get("linear")
    questions = [
        Question(runtime, begun(runtime, 2 * seed, 20), queries(runtime.manifest, 1), {}, NOTHING) for seed in range(7)
    ]
    sizes, run = [], runtime.run

    def noted(tensors: dict[str, Array], levels: tuple[int, ...] = ()) -> dict[str, Array]:
        sizes.append(len(tensors["x_query"]))
        return run(tensors, levels)

    monkeypatch.setattr(runtime, "run", noted)
    monkeypatch.setattr(stacking, "CONTEXTS_LIMIT", 3)
    found = predict_together(questions, UNLIMITED, ReadoutCache())
    assert sizes == [3, 3]
    assert found[6] is None
    monkeypatch.setattr(stacking, "NUMBERS_LIMIT", 1000)
    assert predict_together(questions, UNLIMITED, ReadoutCache()) == [None] * 7
    assert sizes == [3, 3]


def test_cached_readouts_keep_no_others_in_memory(repository: Repository) -> None:
    runtime, readouts = repository.get("linear"), ReadoutCache()
    questions = [
        Question(runtime, begun(runtime, 2 * seed, 20), queries(runtime.manifest, 1), {}, NOTHING) for seed in range(5)
    ]
    predict_together(questions, UNLIMITED, readouts)
    for question in nonempty(questions):
        kept = readouts.find(question.state.tensors or {}, NOTHING)
        assert kept
        assert all(tensor.base is None for tensor in kept.values())
