"""Contexts with category levels do not depend on order or splitting, and a level may appear later than others."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inference.sizes import Array
from service.levels import Levels
from tests.closeness import assert_close
from tests.properties.backends import OnnxBackend, TorchBackend, backend
from tests.properties.cases import Case, cases

MODELS = ("linear", "nonlinear", "classifier")
each = pytest.mark.parametrize("name", MODELS)
ROUNDING = 1e-6


@st.composite
def tables(draw: st.DrawFn) -> tuple[Case, Levels]:
    """Draw contexts with the levels of one or two categories as further columns, in any places; the last is a level."""
    case = draw(cases())
    counts = draw(st.lists(st.integers(2, 5), min_size=1, max_size=2))
    columns = [[one_hot(case, rows, count) for count in counts] for rows in (case.x, case.x_query)]
    x, x_query = (np.concatenate([rows, *own], 2) for rows, own in zip((case.x, case.x_query), columns, strict=True))
    numbers, last = case.x.shape[2], x.shape[2] - 1
    order = np.append(case.generator.permutation(last), last)
    levels = tuple(np.flatnonzero(order >= numbers).tolist())
    return replace(case, x=x[..., order], x_query=x_query[..., order]), levels


def one_hot(case: Case, rows: Array, levels: int) -> Array:
    found: Array = np.eye(levels)[case.generator.integers(0, levels, rows.shape[:2])]
    return found


@pytest.mark.slow
@each
@given(table=tables())
def test_order_and_splitting_do_not_matter(name: str, table: tuple[Case, Levels]) -> None:
    (case, levels), model = table, backend(OnnxBackend, name)
    model = model.with_levels(levels)
    expected = model.predict(model.observe(case.x, case.y, case.weight), case.x_query)
    order = case.generator.permutation(case.x.shape[1])
    x, y, weight = case.x[:, order], case.y[:, order], case.weight[:, order]
    cut = int(case.generator.integers(0, case.x.shape[1] + 1))
    first = model.observe(x[:, :cut], y[:, :cut], weight[:, :cut])
    both = model.observe(x[:, cut:], y[:, cut:], weight[:, cut:], first)
    assert_close(model.predict(both, case.x_query), expected, "prediction", rtol=ROUNDING)


@pytest.mark.slow
@each
@given(table=tables())
def test_merging_states_equals_observing_both(name: str, table: tuple[Case, Levels]) -> None:
    (case, levels), model = table, backend(OnnxBackend, name)
    model = model.with_levels(levels)
    cut = int(case.generator.integers(0, case.x.shape[1] + 1))
    parts = [
        model.observe(*pieces)
        for pieces in zip(*(np.split(array, [cut], axis=1) for array in (case.x, case.y, case.weight)), strict=True)
    ]
    expected = model.predict(model.observe(case.x, case.y, case.weight), case.x_query)
    assert_close(model.predict(model.merge(*parts), case.x_query), expected, "prediction", rtol=ROUNDING)


@pytest.mark.slow
@each
@given(table=tables())
def test_negative_weight_undoes_a_positive_one(name: str, table: tuple[Case, Levels]) -> None:
    (case, levels), model = table, backend(OnnxBackend, name)
    model = model.with_levels(levels)
    state = model.observe(case.x, case.y, case.weight)
    wrong = slice(0, min(case.x.shape[1], (32 - case.x.shape[1]) // 2))
    x, y = np.roll(case.x, 1, axis=1)[:, wrong], 3 * case.y[:, wrong]
    polluted = model.observe(x, y, state=state)
    cleaned = model.observe(x, y, -np.ones(x.shape[:2]), polluted)
    expected = model.predict(state, case.x_query)
    assert_close(model.predict(cleaned, case.x_query), expected, "prediction", rtol=ROUNDING)


@pytest.mark.slow
@each
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.2])
@given(table=tables())
def test_late_level_equals_a_column_present_from_the_start(
    name: str, table: tuple[Case, Levels], *, frozen: bool, missing: float
) -> None:
    (case, levels), model = table, backend(OnnxBackend, name)
    before, numbers = case.x.shape[1] // 2, ~np.isin(np.arange(case.x.shape[2]), levels)
    times = 40 if frozen else 1
    x, y, weight = (np.repeat(part[:, :before], times, 1) for part in (case.x, case.y, case.weight))
    x = x + numbers * case.generator.normal(size=x.shape)
    x = np.where(numbers & (case.generator.random(x.shape) < missing), np.nan, x)
    x[..., -1] = 0.0
    late = case.x[:, before:], case.y[:, before:], case.weight[:, before:]
    without, whole = model.with_levels(levels[:-1]), model.with_levels(levels)
    state = whole.observe(*late, without.observe(x[..., :-1], y, weight))
    expected = whole.observe(*late, whole.observe(x, y, weight))
    for tensor, value in expected.items():
        assert_close(state[tensor], value, tensor, rtol=1e-9)
    answer, wanted = (whole.predict(one, case.x_query) for one in (state, expected))
    assert_close(answer, wanted, "prediction", rtol=ROUNDING)


@pytest.mark.slow
@each
@pytest.mark.parametrize("missing", [0.0, 0.2])
@given(table=tables())
def test_file_answers_as_the_torch_model(name: str, table: tuple[Case, Levels], *, missing: float) -> None:
    (case, levels), file = table, backend(OnnxBackend, name).with_levels(table[1])
    numbers = ~np.isin(np.arange(case.x.shape[2]), levels)
    x = np.where(numbers & (case.generator.random(case.x.shape) < missing), np.nan, case.x)
    y = case.labels if file.entry.task == "classification" else case.y
    tensors = {"x": x, "y": y, "weight": case.weight, "x_query": case.x_query}
    found, expected = file.run(tensors), backend(TorchBackend, name).with_levels(levels).run(tensors)
    for tensor in ("prediction", *file.runtime.manifest.next_names.values()):
        assert_close(found[tensor], expected[tensor], tensor, rtol=ROUNDING)
