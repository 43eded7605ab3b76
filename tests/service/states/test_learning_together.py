"""Contexts learnt in one run of the graph are as those learnt alone; cases with a decision are left to `learn`."""

from dataclasses import replace

import numpy as np
import pytest

from service.contexts.serialization import canonical_state
from service.errors import PrecisionLoss
from service.inference.checks import UNLIMITED, Limits
from service.inference.predictor import Observations
from service.inference.runtime import Runtime
from service.registry.repository import Repository
from service.states.context_state import ContextState, new_state
from service.states.history import History
from service.states.learning import learn
from service.states.stacking import Lesson, learn_together
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.service.kept import draw, weighed

MODELS = ["linear", "nonlinear"]


def begun(runtime: Runtime, seed: int, rows: int = 50, scale: float = 1.0, shift: float = 0.0) -> ContextState:
    x, y, *_ = draw(seed, rows)
    return canonical_state(
        learn(runtime, UNLIMITED, new_state(runtime.manifest, None), Observations(scale * x + shift, scale * y))
    )


def alone(lesson: Lesson) -> ContextState:
    return canonical_state(learn(lesson.runtime, UNLIMITED, lesson.state, lesson.new))


def assert_same_state(found: ContextState, expected: ContextState) -> None:
    assert found.tensors is not None
    assert expected.tensors is not None
    assert found.tensors.keys() == expected.tensors.keys()
    for name in nonempty(list(found.tensors)):
        assert_close(found.tensors[name], expected.tensors[name], name, rtol=1e-12)
    assert replace(found, tensors=None) == replace(expected, tensors=None)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("rows", [1, 3, 70])
def test_states_are_those_of_single_runs(repository: Repository, model: str, rows: int) -> None:
    runtime = repository.get(model)
    lessons = [
        Lesson(runtime, begun(runtime, seed, scale=10.0**seed, shift=10.0**seed), draw(100 + seed, rows))
        for seed in range(5)
    ]
    lessons = [
        lesson._replace(new=Observations(10.0**i * (lesson.new.x + 1.0), 10.0**i * lesson.new.y))
        for i, lesson in enumerate(lessons)
    ]
    for lesson, found in nonempty(list(zip(lessons, learn_together(lessons, UNLIMITED), strict=True))):
        assert found is not None
        assert_same_state(found, alone(lesson))


def test_contexts_of_several_models_and_shapes_are_learnt_in_one_call(repository: Repository) -> None:
    lessons = [
        Lesson(runtime, begun(runtime, seed), draw(50 + seed, 1 + seed % 2))
        for seed in range(8)
        for runtime in map(repository.get, MODELS)
    ]
    for lesson, found in nonempty(list(zip(lessons, learn_together(lessons, UNLIMITED), strict=True))):
        assert found is not None
        assert_same_state(found, alone(lesson))


def test_an_observation_that_costs_digits_is_left_to_a_decision(repository: Repository) -> None:
    runtime = repository.get("linear")
    states = [begun(runtime, seed) for seed in range(3)]
    far = Observations(draw(9, 1).x * 1e12, draw(9, 1).y)
    lessons = [Lesson(runtime, state, far if i == 1 else draw(9, 1)) for i, state in enumerate(states)]
    found = learn_together(lessons, UNLIMITED)
    assert [state is None for state in found] == [False, True, False]
    with pytest.raises(PrecisionLoss):
        alone(lessons[1])


def test_overflow_of_one_context_leaves_the_others(repository: Repository) -> None:
    runtime = repository.get("linear")
    huge = Observations(draw(9, 1).x * 1e200, draw(9, 1).y)
    lessons = [Lesson(runtime, begun(runtime, seed), huge if seed == 1 else draw(9, 1)) for seed in range(3)]
    assert [state is None for state in learn_together(lessons, UNLIMITED)] == [False, True, False]


def cases(runtime: Runtime) -> list[tuple[ContextState, Observations]]:
    """What `learn` has to decide, or refuses."""
    state, new = begun(runtime, 1), draw(2, 1)
    history = state.history or History()
    return [
        (new_state(runtime.manifest, None), new),
        (canonical_state(learn(runtime, UNLIMITED, new_state(runtime.manifest, 0.9), draw(1))), new),
        (begun(runtime, 1, rows=2), new),
        (replace(state, history=None), new),
        (replace(state, history=history._replace(levels=np.full((2, 8), np.nan))), new),
        (replace(state, absolute_weight_sum=1e200), new),
        (replace(state, n_observations=2**53), new),
        (state, weighed(new, -1.0)),
        (state, new._replace(x=new.x[:0], y=new.y[:0])),
        (state, new._replace(y=new.y[:0])),
        (state, new._replace(x=new.x[:, :4])),
        (state, new._replace(y=new.y[:, 0])),
        (state, new._replace(y=new.y[:, :2])),
        (state, new._replace(x=np.full_like(new.x, np.nan))),
        (state, new._replace(levels=(4,))),
    ]


@pytest.mark.parametrize("number", range(15))
def test_what_is_not_plain_is_left_to_a_decision(repository: Repository, number: int) -> None:
    runtime = repository.get("linear")
    state, new = cases(runtime)[number]
    assert learn_together([Lesson(runtime, state, new)] * 2, UNLIMITED) == [None, None]


def test_observations_over_a_limit_are_left_to_a_decision(repository: Repository) -> None:
    runtime = repository.get("linear")
    lessons = [Lesson(runtime, begun(runtime, seed), draw(9, 3)) for seed in range(2)]
    assert learn_together(lessons, Limits(1000, 1000, 2)) == [None, None]
    assert learn_together(lessons, Limits(7, 1000, 1000)) == [None, None]


@pytest.mark.parametrize("model", ["gd-1", "linear-trained", "classifier"])
def test_models_of_other_states_are_left_to_single_runs(repository: Repository, model: str) -> None:
    runtime = repository.get(model)
    outputs = runtime.manifest.dims["K"]
    x = np.random.default_rng(1).normal(size=(9, 10))
    y = np.eye(3)[np.arange(9) % 3] if model == "classifier" else x[:, : 1 if outputs == "any" else int(outputs)]
    state = canonical_state(learn(runtime, UNLIMITED, new_state(runtime.manifest, None), Observations(x, y)))
    assert learn_together([Lesson(runtime, state, Observations(x, y))] * 2, UNLIMITED) == [None, None]
