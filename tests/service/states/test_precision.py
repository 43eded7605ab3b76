"""Changes that lose significant digits are refused, and accepted ones are exact."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.contexts import serialization
from service.errors import InvalidInput, PrecisionLoss
from service.inference.predictor import Observations
from service.inference.sizes import Array
from service.states.context_state import ContextState
from service.states.learning import learn
from service.states.merge import join
from service.states.precision import DIGITS
from tests.closeness import assert_close
from tests.service.kept import part, weighed
from tests.service.states.test_context_state import LIMITS, ask, at_once, manifest, remember, runtime_of

REGRESSIONS = ["gd-1", "gd-8", "linear", "linear-1.0.0", "nonlinear"]
CENTERED = ["linear", "linear-1.0.0", "nonlinear"]
X = np.arange(4.0)[:, None]
LINE = Observations(X, 5 + 2 * X)
QUERY = np.array([[10.0]])
seeds = st.integers(0, 2**32 - 1)


def one(x: float, y: float, weight: float = 1.0) -> Observations:
    return Observations(np.array([[x]]), np.array([[y]]), np.array([float(weight)]))


def add(name: str, memory: ContextState, *parts: Observations, allow: bool = False) -> ContextState:
    for some in parts:
        memory = learn(runtime_of(name), LIMITS, memory, some, allow_precision_loss=allow)
    return memory


def refused(add: Callable[[], object], match: str) -> InvalidInput:
    with pytest.raises(InvalidInput, match=match) as error:
        add()
    return error.value


MISTAKES = [
    (one(1e9, 0), r"x\[0\]\[0\]: is 1e\+09"),
    (one(1.5, 1e20), r"y\[0\]\[0\]: is 1e\+20"),
    (one(1.5, 9.969209968386869e36), r"y\[0\]\[0\]: is 9.96921e\+36"),
    (one(-3e5, 0), r"x\[0\]\[0\]: is -300000"),
]


@pytest.mark.parametrize("name", REGRESSIONS)
@pytest.mark.parametrize(("mistake", "message"), MISTAKES)
def test_an_observation_that_costs_digits_is_refused_with_field_value_and_remedy(
    name: str, mistake: Observations, message: str
) -> None:
    memory = remember(name, LINE)
    error = refused(lambda: add(name, memory, mistake), message)
    assert isinstance(error, PrecisionLoss)
    assert error.digits < DIGITS
    assert "allow_precision_loss" in str(error)


@pytest.mark.parametrize("name", REGRESSIONS)
@pytest.mark.parametrize(("mistake", "_"), MISTAKES)
def test_an_allowed_mistake_is_learnt_counted_and_not_taken_out(name: str, mistake: Observations, _: str) -> None:
    memory = add(name, remember(name, LINE), mistake, allow=True)
    left = memory.digits_left(manifest(name))
    assert left is not None
    assert left < DIGITS
    assert isinstance(refused(lambda: add(name, memory, weighed(mistake, -1)), "cannot be taken out"), PrecisionLoss)


@pytest.mark.parametrize("name", REGRESSIONS)
@pytest.mark.parametrize("x", [X, X - 1.5])
@pytest.mark.parametrize(("dx", "y"), [(1e9, 0.0), (1.0, 1e20)])
def test_a_mistake_that_came_first_is_not_taken_out_wrongly(name: str, x: Array, dx: float, y: float) -> None:
    mistake, rows = one(dx, y), Observations(x, 5 + 2 * x)
    for pieces in ([mistake, rows], [Observations(np.r_[mistake.x, rows.x], np.r_[mistake.y, rows.y])]):
        memory = remember(name, *pieces)
        refused(lambda: add(name, memory, weighed(mistake, -1)), "cannot be taken out exactly")  # noqa: B023


@pytest.mark.slow
@pytest.mark.parametrize("name", REGRESSIONS)
@given(power=st.floats(0, 12), in_y=st.booleans())
def test_what_is_taken_out_is_right_or_refused(name: str, power: float, in_y: bool) -> None:
    mistake = one(1.5, 10.0**power) if in_y else one(10.0**power, 0)
    memory = remember(name, LINE)
    try:
        memory = add(name, memory, mistake)
    except PrecisionLoss:
        assert power > 5
        return
    assert power < 6.1
    found = ask(name, add(name, memory, weighed(mistake, -1)), QUERY)
    # Six digits of the sums are left; the residual of an exact line, which weighs features, has fewer.
    assert_close(found, at_once(name, LINE, QUERY), "prediction", rtol=1e-3 if name == "nonlinear" else 1e-4)


@pytest.mark.parametrize("name", REGRESSIONS)
@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_six_digits_are_the_boundary(name: str, factor: float) -> None:
    """V before, and w·d²·n/(n + 1) more: refused from V + that > V/(10⁶ ε) on; plain sums have w·x² in its place."""
    memory = remember(name, LINE)
    plain = name.startswith("gd")
    before, share = (14.0, 1.0) if plain else (5.0, 0.8)
    distance = factor * np.sqrt((before / (1e6 * 2.0**-52) - before) / share)
    value = one(distance if plain else 1.5 + distance, 11.0)
    if factor > 1:
        refused(lambda: add(name, memory, value), "5 of the 6 significant digits")
    else:
        add(name, add(name, memory, value), weighed(value, -1))


@pytest.mark.parametrize("name", CENTERED)
@pytest.mark.parametrize(
    ("mistake", "place"),
    [(one(1e300, 1), r"x\[0\]\[0\]: is 1e\+300"), (one(1, -1.1e150), r"y\[0\]\[0\]: is -1.1e\+150")],
)
def test_values_without_squares_are_refused_from_the_first_on(name: str, mistake: Observations, place: str) -> None:
    refused(lambda: remember(name, mistake), f"{place}, too large for sums of squares")
    both = Observations(np.r_[X, mistake.x], np.r_[LINE.y, mistake.y])
    refused(lambda: remember(name, both), "too large for sums of squares")


@pytest.mark.parametrize("name", CENTERED)
def test_values_whose_squares_vanish_are_refused(name: str) -> None:
    refused(lambda: remember(name, Observations(1e-170 * X, LINE.y)), r"x\[\]\[0\]: has no value beyond 3e-170")
    refused(lambda: remember(name, Observations(X, 1e-162 * LINE.y)), r"y\[\]\[0\]: has no value beyond 1.1e-161")
    refused(lambda: remember(name, Observations(X, LINE.y, np.full(4, 1e-200))), "weight: is 1e-200 at most")
    remember(name, LINE, one(1e-300, 1e-300, 1e-300), Observations(np.zeros((2, 1)), np.zeros((2, 1))))


@pytest.mark.parametrize("name", CENTERED)
@pytest.mark.parametrize("decay", [None, 0.9])
def test_values_whose_squares_vanish_are_refused_row_by_row(name: str, decay: float | None) -> None:
    small = one(1e-170, 1.0), one(3e-170, 2.0), one(5e-170, 3.0)
    text = r"x\[0\]\[0\]: is \de-170, and this context has no value in the column whose square"
    refused(lambda: remember(name, *small, decay=decay), text)
    remember(name, *[one(1e-170, y) for y in range(5)], decay=decay)
    remember(name, one(1.0, 1.0), *small, decay=decay)
    remember(name, *[one(0.0, y) for y in range(5)], decay=decay)


@pytest.mark.parametrize("mean", [1.7e308, 5e-324])
def test_digits_of_a_context_of_an_earlier_version_are_counted_whatever_its_mean(mean: float) -> None:
    memory = remember("linear", LINE)
    assert memory.tensors is not None
    extreme = replace(memory, tensors={**memory.tensors, "state.mean": np.full((1, 2), mean)})
    assert extreme.digits_left(manifest("linear")) is None or mean < 1


def test_several_rows_name_the_one_that_costs_most() -> None:
    x, y = np.array([[1.0], [-2e9], [1e9]]), np.ones((3, 1))
    refused(lambda: add("linear", remember("linear", LINE), Observations(x, y)), r"x\[1\]\[0\]: is -2e\+09")


def test_the_first_observations_show_the_scale_and_are_welcome() -> None:
    for rows in ([0.0, 1e12], [1.0, 1.0 + 1e-9, 5e3], [1e9, 0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.0, 7.0]):
        memory = remember("linear", *[one(x, i) for i, x in enumerate(rows)])
        assert memory.n_observations == len(rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", REGRESSIONS)
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@given(seed=seeds)
def test_common_data_are_never_refused(name: str, unit: float, seed: int) -> None:
    """Columns of all units, with means a million times their spread, heavy tails, constants, dummies and jitter."""
    generator = np.random.default_rng(seed)
    rows = 40
    x = np.stack(
        [
            1e6 + generator.normal(size=rows),
            unit * generator.normal(size=rows),
            generator.standard_t(2, rows),
            np.full(rows, 273.15),
            (generator.random(rows) < 0.05) / 3.0,
        ],
        1,
    )
    y = unit * generator.lognormal(0, 2, (rows, 1))
    weight = np.where(generator.random(rows) < 0.1, 0.0, generator.uniform(0.01, 3.0, rows))
    data = Observations(x, y, weight)
    pieces = np.split(np.arange(rows), [1, 2, 3, 5, 20])
    memory = remember(name, *[part(data, piece) for piece in pieces])
    assert memory.n_observations == rows
    assert join(runtime_of(name), remember(name, part(data, slice(20))), remember(name, data)).n_observations == 60


@pytest.mark.slow
@pytest.mark.parametrize("decay", [0.9, "auto"])
def test_contexts_that_forget_take_every_observation(decay: float) -> None:
    """Nothing is taken out of them; and a column that stood still for long may move again."""
    memory = remember("linear", LINE, one(1e9, 1e20), decay=decay)
    still = Observations(np.zeros((400, 1)), np.zeros((400, 1)))
    assert add("linear", memory, still, LINE).n_observations == 409


@pytest.mark.parametrize("name", REGRESSIONS)
@pytest.mark.parametrize("values", [(0.0, 1.0), (-1 / 3, 10 / 3), (5.0, 5.0 + 1e-6)])
def test_the_only_row_of_a_category_is_taken_out(name: str, values: tuple[float, float]) -> None:
    generator = np.random.default_rng(0)
    x = np.stack([generator.normal(size=9), np.where(np.arange(9) == 4, values[1], values[0])], 1)
    data = Observations(x, generator.normal(size=(9, 1)))
    memory = remember(name, data, weighed(part(data, slice(4, 5)), -1))
    rest = part(data, np.delete(np.arange(9), 4))
    assert_close(ask(name, memory, x[:4]), at_once(name, rest, x[:4]), "prediction", rtol=1e-6)


def test_a_constant_column_loses_a_mistake_and_is_constant_again() -> None:
    x = np.stack([np.arange(6.0), [5, 5, 5, 1e9, 5, 5]], 1)
    data = Observations(x, np.array([[1.0], [2], [4], [7], [8], [10]]))
    memory = remember("linear", data, weighed(part(data, slice(3, 4)), -1))
    rest = part(data, np.array([0, 1, 2, 4, 5]))
    assert_close(ask("linear", memory, x[:3]), at_once("linear", rest, x[:3]), "prediction", rtol=1e-5)


@pytest.mark.parametrize("name", CENTERED)
def test_missing_cells_do_not_hide_a_mistake(name: str) -> None:
    if not manifest(name).missing_cells:
        return
    x = np.array([[0.0, np.nan], [1, 2], [2, np.nan], [3, 5], [4, 6]])
    data = Observations(x, np.arange(5.0)[:, None])
    memory = remember(name, data)
    wrong = Observations(np.array([[np.nan, 1e9]]), np.array([[2.0]]))
    refused(lambda: add(name, memory, wrong), r"x\[0\]\[1\]: is 1e\+09")
    fine = add(name, memory, Observations(np.array([[np.nan, 3.0]]), np.array([[2.0]])))
    back = add(name, fine, Observations(np.array([[np.nan, 3.0]]), np.array([[2.0]]), np.array([-1.0])))
    assert_close(ask(name, back, x[1:2]), at_once(name, data, x[1:2]), "prediction", rtol=1e-6)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_what_is_added_and_taken_out_at_once_costs_digits_too(name: str) -> None:
    x, y = np.array([[1e9], [1e9], [4.0]]), np.array([[0.0], [0.0], [13.0]])
    both = Observations(x, y, np.array([1.0, -1.0, 1.0]))
    refused(lambda: add(name, remember(name, LINE), both), "cannot be taken out exactly")
    memory = add(name, remember(name, LINE), Observations(np.array([[7.0], [7.0]]), y[:2], np.array([1.0, -1.0])))
    assert_close(ask(name, memory, QUERY), at_once(name, LINE, QUERY), "prediction", rtol=1e-6)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_more_than_was_observed_is_not_taken_out(name: str) -> None:
    """Four observations less two of weight 1 would be a count of 2, with a variation of −71.5."""
    x = np.array([[1.0], [2], [3], [9]])
    memory = remember(name, Observations(x, 2 * x), one(9, 18, -1))
    error = refused(
        lambda: add(name, memory, one(9, 18, -1)), r"weight\[0\]: takes out observations that were never made"
    )
    assert not isinstance(error, PrecisionLoss)


@pytest.mark.parametrize("offset", [1e-7, 1e-6])
@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_value_next_to_those_of_its_column_is_taken_out(name: str, offset: float) -> None:
    """The mean is rounded by more than a billionth of the distance."""
    memory = remember(name, Observations(np.full((6, 1), 7.0), np.arange(6.0)[:, None]))
    after = add(name, memory, one(7 + offset, 10), one(7 + offset, 10, -1))
    assert_close(ask(name, after, QUERY), ask(name, memory, QUERY), "prediction", rtol=1e-6)
    refused(lambda: add(name, memory, one(7 + offset, 10), one(7 + offset, 10, -1), one(7 + offset, 10, -1)), "weight")


@pytest.mark.parametrize("name", CENTERED)
def test_a_correlation_beyond_one_is_refused(name: str) -> None:
    """The variations 5 of x and 5 of y stay positive, the comoment 5 of both would become 6.5 of 4.5 and 4.5."""
    x = np.arange(4.0)[:, None]
    memory = remember(name, Observations(x, x), one(1.5, 1.5), one(1.5, 1.5))
    wrong = Observations(np.array([[0.5], [2.5]]), np.array([[2.5], [0.5]]), -0.5 * np.ones(2))
    refused(lambda: add(name, memory, wrong), "no observations lead to the rest")


def test_a_cell_is_not_missing_more_often_than_it_was() -> None:
    x = np.array([[0.0, 1], [1, 2], [2, 4], [3, np.nan]])
    data = Observations(x, np.array([[1.0], [2], [3], [5]]))
    taken = Observations(np.array([[1.5, np.nan], [1.5, np.nan]]), np.array([[2.5], [2.5]]), -0.6 * np.ones(2))
    refused(lambda: add("linear", remember("linear", data), taken), "no observations lead to the rest")


def test_squares_of_weights_stay_positive() -> None:
    """A tenth counts a hundredth in them, and a whole one counts one."""
    memory = remember("linear", *[weighed(LINE, 0.1)] * 5)
    refused(lambda: add("linear", memory, one(1.5, 8.0, -1.0)), "by the weight that it had")


@pytest.mark.parametrize("name", REGRESSIONS)
def test_weights_are_checked_against_the_sums_they_go_into(name: str) -> None:
    memory = remember(name, LINE)
    heavy = one(1.0, 7.0, 1e20)
    refused(lambda: add(name, memory, heavy), r"weight\[0\]: is 1e\+20; all before weigh 4")
    for order in ([LINE, heavy], [heavy, LINE]):
        some = add(name, remember(name), *order, allow=True)
        refused(lambda: add(name, some, one(1.0, 7.0, -1e20)), "weight: leaves a count that is rounding")  # noqa: B023


@pytest.mark.parametrize("name", ["linear", "nonlinear"])
def test_squares_of_weights_keep_their_digits(name: str) -> None:
    """The effective number of observations needs them; a whole number counts equal observations, without a square."""
    memory = remember(name, LINE)
    refused(lambda: add(name, memory, one(1.0, 7.0, 5e5 + 0.5)), r"weight\[0\]: is 500000; all before weigh 4")
    allowed = add(name, memory, one(1.0, 7.0, 5e5 + 0.5), allow=True)
    refused(lambda: add(name, allowed, one(1.0, 7.0, -5e5 - 0.5)), "weight: leaves a count that is rounding")
    back = add(name, memory, one(1.0, 7.0, 5e5), one(1.0, 7.0, -5e5))
    assert_close(ask(name, back, QUERY), at_once(name, LINE, QUERY), "prediction", rtol=1e-4)


@pytest.mark.parametrize("name", ["gd-1", "gd-8", "linear-1.0.0"])
def test_weights_that_sum_to_more_than_floating_point_holds_are_refused(name: str) -> None:
    memory = remember(name, one(0.0, 0.0, 1.7e308))
    assert memory.count == 1.7e308
    for weight in (1.0e308, -1.0e308):
        refused(lambda: add(name, memory, one(0.0, 0.0, weight)), "weight: sums to more than float64 holds")  # noqa: B023


@pytest.mark.parametrize("name", REGRESSIONS)
def test_digits_are_kept_where_nothing_is_said_of_them(name: str) -> None:
    memory, mistake = remember(name, LINE), one(1e9, 0)
    refused(lambda: learn(runtime_of(name), LIMITS, memory, mistake), r"x\[0\]\[0\]: is 1e\+09")
    assert learn(runtime_of(name), LIMITS, memory, mistake, allow_precision_loss=True).n_observations == 5


@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_merge_that_costs_digits_is_refused(name: str) -> None:
    small, large = remember(name, LINE), remember(name, Observations(1e9 * X, 5 + 2 * X))
    error = refused(lambda: join(runtime_of(name), small, large), "context: has seen so much larger values")
    assert "allow_precision_loss" in str(error)
    joined = join(runtime_of(name), small, large, allow_precision_loss=True)
    left = joined.digits_left(manifest(name))
    assert left is not None
    assert left < DIGITS
    refused(lambda: add(name, joined, Observations(1e9 * X, 5 + 2 * X, -np.ones(4))), "cannot be taken out exactly")
    assert join(runtime_of(name), large, small).n_observations == 8


@pytest.mark.parametrize("name", ["linear", "linear-1.0.0"])
def test_a_context_without_digits_does_not_spread_by_merging(name: str) -> None:
    mistake = one(1e9, 0)
    memory = add(name, remember(name, LINE), mistake, allow=True)
    refused(lambda: join(runtime_of(name), remember(name, LINE), memory), "context: has seen so much larger")


@pytest.mark.parametrize("name", REGRESSIONS)
def test_two_emptied_contexts_are_empty_together(name: str) -> None:
    emptied = [remember(name, LINE, weighed(LINE, -1)) for _ in range(2)]
    joined = join(runtime_of(name), *emptied)
    assert joined.is_empty
    assert joined.tensors is not None
    assert all((tensor == 0).all() for tensor in joined.tensors.values())
    again = add(name, joined, LINE)
    assert_close(ask(name, again, QUERY), at_once(name, LINE, QUERY), "prediction", rtol=1e-9)
    for order in ([emptied[0], remember(name, LINE)], [remember(name, LINE), emptied[0]]):
        found = ask(name, join(runtime_of(name), *order), QUERY)
        assert_close(found, at_once(name, LINE, QUERY), "prediction", rtol=1e-9)


@pytest.mark.parametrize("name", ["linear", "linear-1.0.0"])
def test_a_merge_remembers_the_larger_peak(name: str) -> None:
    """Whichever side has had the larger variation, which was taken out again."""
    far = one(100.0, 0.0)
    was_large, small = remember(name, LINE, far, weighed(far, -1)), remember(name, LINE)
    for order in ([was_large, small], [small, was_large]):
        joined = join(runtime_of(name), *order)
        assert joined.tensors is not None
        assert was_large.tensors is not None
        assert (joined.tensors["state.peak"] == was_large.tensors["state.peak"]).all()


def test_an_emptied_context_begins_again_with_all_digits() -> None:
    memory = add("linear", remember("linear", LINE), one(1e9, 0), allow=True)
    memory = add("linear", memory, Observations(np.r_[X, [[1e9]]], np.r_[LINE.y, [[0.0]]], -np.ones(5)))
    assert memory.is_empty
    memory = add("linear", memory, LINE)
    assert memory.digits_left(manifest("linear")) == 15
    assert_close(ask("linear", memory, QUERY), at_once("linear", LINE, QUERY), "prediction", rtol=1e-9)


def test_digits_left_are_those_of_the_worst_column() -> None:
    far = Observations(np.c_[X, 1e9 + X], 5 + 2 * X)
    assert remember("linear", LINE).digits_left(manifest("linear")) == 15
    assert remember("linear", far).digits_left(manifest("linear")) == 6
    assert remember("linear", Observations(0 * X, 0 * X)).digits_left(manifest("linear")) is None
    assert remember("linear").digits_left(manifest("linear")) is None
    trained = Observations(np.zeros((3, 10)), np.zeros((3, 1)))
    assert remember("linear-trained", trained).digits_left(manifest("linear-trained")) is None


@pytest.mark.parametrize("name", REGRESSIONS)
@given(seed=seeds)
def test_what_is_known_of_observations_survives_writing(name: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    x = np.stack([generator.normal(size=5), generator.integers(0, 2, 5), np.ones(5)], 1)
    memory = remember(name, Observations(x, generator.normal(size=(5, 1)), generator.uniform(0.5, 2, 5)))
    written = serialization.export(manifest(name), serialization.canonical_state(memory))
    read = serialization.state_of_archive(serialization.read(written), manifest(name))
    assert read.history is not None
    assert memory.history is not None
    for field in ("rows", "squares", "least_weight", "digits"):
        assert getattr(read.history, field) == getattr(memory.history, field)
    for field in ("levels", "sums"):
        here, there = getattr(memory.history, field), getattr(read.history, field)
        assert (here is None and there is None) or _same_where_known(here, there)


def _same_where_known(here: Array, there: Array) -> bool:
    known = ~np.isinf(here[1])
    return bool(np.array_equal(here[:, known], there[:, known], equal_nan=True) and np.isinf(there[1][~known]).all())
