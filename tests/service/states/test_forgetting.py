"""A context that forgets is a one-shot context with weights λ^(N−1−i); and then order matters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidInput
from service.inference.predictor import Observations
from service.states.context_state import new_state
from service.states.forgetting import fade, fading
from service.states.learning import learn
from service.states.merge import join
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.service.kept import part, weighed
from tests.service.states.test_context_state import LIMITS, ask, at_once, close, manifest, observations, remember, zoo

FORGETTING = ["classifier", "classifier-1.0.0", "gd-1", "gd-8", "linear", "linear-1.0.0", "nonlinear", "softmax-1"]
SCALED_BY_THE_FIRST = {"classifier", "nonlinear"}
"""The first 33 observations fix the scale of their features, and it does not fade."""
each = pytest.mark.parametrize("name", FORGETTING)
seeds, decays = st.integers(0, 2**32 - 1), st.floats(0.5, 1.0)


@pytest.mark.slow
@each
@given(seed=seeds, decay=decays)
def test_however_it_is_split_a_stream_forgets_as_its_weights_say(name: str, seed: int, decay: float) -> None:
    context, query = observations(name, seed)
    cuts = np.sort(np.random.default_rng(seed).integers(0, 12, 3))
    pieces = [part(context, rows) for rows in np.split(np.arange(11), cuts) if len(rows)]
    expected = at_once(name, weighed(context, decay ** np.arange(10, -1, -1)), query)
    close(name, ask(name, remember(name, *pieces, decay=decay), query), expected)


@pytest.mark.slow
@each
@given(seed=seeds)
def test_weights_of_the_observations_fade_and_padding_makes_nothing_older(name: str, seed: int) -> None:
    context, query = observations(name, seed)
    weight = np.random.default_rng(seed).uniform(0.2, 2.0, 11)
    weight[[1, 6]] = 0
    later = np.array([8, 8, 7, 6, 5, 4, 4, 3, 2, 1, 0])
    whole = weighed(context, weight)
    streamed = remember(name, *(part(whole, slice(i, i + 1)) for i in range(11)), decay=0.8)
    close(name, ask(name, streamed, query), at_once(name, weighed(context, weight * 0.8**later), query))


@pytest.mark.slow
@each
@given(seed=seeds)
def test_joining_forgets_as_if_one_came_after_the_other(name: str, seed: int) -> None:
    context, query = observations(name, seed)
    parts = [part(context, rows) for rows in (slice(3), slice(3, 5), slice(5, None))]
    a, b, c = (remember(name, some, decay=0.7) for some in parts)
    expected = ask(name, remember(name, context, decay=0.7), query)
    rule = zoo()[name]
    for grouping, joined in (
        ("(a·b)·c", join(rule, join(rule, a, b), c)),
        ("a·(b·c)", join(rule, a, join(rule, b, c))),
    ):
        assert_close(ask(name, joined, query), expected, f"prediction from {grouping}", rtol=1e-8)


@each
def test_with_forgetting_order_matters(name: str) -> None:
    context, query = observations(name, 1)
    a, b = part(context, slice(4)), part(context, slice(4, None))
    forward, backward = (ask(name, remember(name, *order, decay=0.5), query) for order in ((a, b), (b, a)))
    assert np.abs(forward - backward).max() > 1e-3 * np.abs(forward).max()


@each
def test_a_decay_of_one_forgets_nothing_and_still_takes_out(name: str) -> None:
    context, query = observations(name, 1)
    memory = remember(name, context, weighed(part(context, slice(2)), -1), decay=1.0)
    close(name, ask(name, memory, query), at_once(name, part(context, slice(2, None)), query))


@each
def test_what_has_faded_cannot_be_taken_out(name: str) -> None:
    context, _ = observations(name, 1)
    with pytest.raises(InvalidInput, match="what has faded is not known"):
        remember(name, context, weighed(context, -1), decay=0.9)


@pytest.mark.parametrize("name", [name for name in FORGETTING if name not in SCALED_BY_THE_FIRST])
def test_a_drifting_relation_is_tracked(name: str) -> None:
    """Old observations vanish, down to the smallest numbers that there are, and nothing breaks on the way."""
    (before, query), (after, _) = observations(name, 1), observations(name, 2)
    memory = new_state(manifest(name), 0.01)
    for context in (before, *[after] * 40):
        memory = learn(zoo()[name], LIMITS, memory, context)
    expected = at_once(name, weighed(after, 0.01 ** np.arange(10, -1, -1)), query)
    assert_close(ask(name, memory, query), expected, "prediction", rtol=1e-6)


@pytest.mark.parametrize("decay", [0.0, -0.5, 1.01, float("nan"), float("inf")])
def test_a_decay_out_of_its_range_is_refused(decay: float) -> None:
    with pytest.raises(InvalidInput, match="decay: must be above 0 and at most 1"):
        new_state(manifest("linear"), decay)


def test_what_is_left_of_each_other() -> None:
    weight, share = fading(0.5, np.array([1.0, 0.0, 2.0, 3.0]))
    assert weight.tolist() == [0.25, 0.0, 1.0, 3.0]
    assert share == 0.125


@each
def test_each_context_of_a_batch_keeps_its_own_share(name: str) -> None:
    states = [remember(name, observations(name, seed)[0]).tensors for seed in (0, 1)]
    first, second = (state or {} for state in states)
    together = fade(
        manifest(name), {key: np.concatenate([first[key], second[key]]) for key in first}, np.array([0.5, 0.25])
    )
    for key, tensor in nonempty(together.items()):
        apart = [fade(manifest(name), state, share)[key] for state, share in ((first, 0.5), (second, 0.25))]
        assert_close(tensor, np.concatenate(apart), key)


@pytest.mark.parametrize("name", ["gd-1", "linear", "linear-1.0.0"])
def test_of_a_state_that_faded_to_nothing_nothing_is_left(name: str) -> None:
    state = remember(name, observations(name, 0)[0]).tensors
    assert state is not None
    assert all((tensor == 0).all() for tensor in nonempty(fade(manifest(name), state, 0.0).values()))


def test_of_rows_that_nearly_all_fade_at_once_the_last_are_left() -> None:
    context, query = observations("linear", 3, length=400)
    last = Observations(context.x[-2:], context.y[-2:], np.array([1e-9, 1.0]))
    memory = remember("linear", context, decay=1e-9)
    assert_close(ask("linear", memory, query), at_once("linear", last, query), "prediction", rtol=1e-5)
