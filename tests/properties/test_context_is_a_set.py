"""A context depends neither on the order of its observations nor on how they are split or merged."""

import numpy as np
import pytest
from hypothesis import given

from gdssm.prior import BUFFERED
from tests.closeness import assert_close
from tests.properties.backends import Backend, OnnxBackend, backend, every_set_model
from tests.properties.cases import Case, cases


def room_for_wrong_rows(model: Backend, case: Case) -> int:
    """How many rows can be observed, and taken out again, before what fixes the scale of features has seen them."""
    plan, rows = model.runtime.manifest.features, int(case.x.shape[1])
    return (BUFFERED - rows) // 2 if plan is not None and plan.makes_features else rows


@pytest.mark.slow
@every_set_model
@given(case=cases())
def test_order_does_not_matter(name: str, case: Case) -> None:
    model = backend(OnnxBackend, name)
    order = case.generator.permutation(case.x.shape[1])
    forward = model.observe(case.x, case.y, case.weight)
    shuffled = model.observe(case.x[:, order], case.y[:, order], case.weight[:, order])
    expected = model.predict(forward, case.x_query)
    assert_close(model.predict(shuffled, case.x_query), expected, "prediction", rtol=model.rounding)


@pytest.mark.slow
@every_set_model
@given(case=cases())
def test_observing_parts_equals_observing_all(name: str, case: Case) -> None:
    model = backend(OnnxBackend, name)
    cut = int(case.generator.integers(0, case.x.shape[1] + 1))
    first = model.observe(case.x[:, :cut], case.y[:, :cut], case.weight[:, :cut])
    both = model.observe(case.x[:, cut:], case.y[:, cut:], case.weight[:, cut:], state=first)
    expected = model.predict(model.observe(case.x, case.y, case.weight), case.x_query)
    assert_close(model.predict(both, case.x_query), expected, "prediction", rtol=model.rounding)


@pytest.mark.slow
@every_set_model
@given(case=cases())
def test_observing_one_row_at_a_time_equals_observing_all(name: str, case: Case) -> None:
    model = backend(OnnxBackend, name)
    state = None
    for i in range(case.x.shape[1]):
        one = slice(i, i + 1)
        state = model.observe(case.x[:, one], case.y[:, one], case.weight[:, one], state)
    assert state is not None
    expected = model.predict(model.observe(case.x, case.y, case.weight), case.x_query)
    assert_close(model.predict(state, case.x_query), expected, "prediction", rtol=model.rounding)


@pytest.mark.slow
@every_set_model
@given(case=cases())
def test_merging_states_equals_observing_both(name: str, case: Case) -> None:
    model = backend(OnnxBackend, name)
    cuts = np.sort(case.generator.integers(0, case.x.shape[1] + 1, 2))
    parts = [
        model.observe(*pieces)
        for pieces in zip(*(np.split(array, cuts, axis=1) for array in (case.x, case.y, case.weight)), strict=True)
    ]
    left = model.merge(model.merge(parts[0], parts[1]), parts[2])
    right = model.merge(parts[0], model.merge(parts[1], parts[2]))
    expected = model.predict(model.observe(case.x, case.y, case.weight), case.x_query)
    for grouping, state in (("(a·b)·c", left), ("a·(b·c)", right)):
        assert_close(model.predict(state, case.x_query), expected, f"prediction from {grouping}", rtol=model.rounding)


@pytest.mark.slow
@every_set_model
@given(case=cases())
def test_negative_weight_undoes_a_positive_one(name: str, case: Case) -> None:
    model = backend(OnnxBackend, name)
    state = model.observe(case.x, case.y, case.weight)
    fits = min(case.x.shape[1], room_for_wrong_rows(model, case))
    wrong_x, wrong_y = (3 * case.generator.normal(size=array.shape)[:, :fits] for array in (case.x, case.y))
    polluted = model.observe(wrong_x, wrong_y, state=state)
    cleaned = model.observe(wrong_x, wrong_y, -np.ones(wrong_x.shape[:2]), polluted)
    expected = model.predict(state, case.x_query)
    assert_close(model.predict(cleaned, case.x_query), expected, "prediction", rtol=1e-6)


@pytest.mark.slow
@every_set_model
@given(case=cases())
def test_weight_equals_repetition_and_zero_equals_padding(name: str, case: Case) -> None:
    model = backend(OnnxBackend, name)
    counts = np.append(case.generator.integers(0, 4, case.x.shape[1] - 1), 1)
    weighted = model.observe(case.x, case.y, np.broadcast_to(counts.astype(np.float64), case.weight.shape).copy())
    repeated = model.observe(np.repeat(case.x, counts, 1), np.repeat(case.y, counts, 1))
    expected = model.predict(repeated, case.x_query)
    assert_close(model.predict(weighted, case.x_query), expected, "prediction", rtol=model.rounding)
