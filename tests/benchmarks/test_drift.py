"""Streams are drawn as documented, and every method predicts before it learns."""

import numpy as np
import pytest

from benchmarks.drift import (
    FIXED,
    NOISE,
    PEERS,
    ObservationCost,
    Stream,
    StreamErrors,
    auto,
    errors,
    fixed,
    linear,
    mean_square,
    report,
    streams,
)
from benchmarks.models import runtime_of
from service.inference.checks import Limits
from service.inference.predictor import Observations
from service.inference.runtime import Runtime
from service.states.context_state import answer, new_state
from service.states.learning import learn
from tests.closeness import assert_close


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return runtime_of("linear")


@pytest.fixture(scope="module")
def short() -> Stream:
    """Two runs of a relation that jumps."""
    x, y = (np.stack(part) for part in zip(*(linear(seed, 40, every=20) for seed in range(2)), strict=True))
    return Stream("short", x, y)


def test_every_kind_of_drift_is_drawn_alike_each_time() -> None:
    once, again = list(streams(1, 60)), list(streams(1, 60))
    assert len({stream.name for stream in once}) == len(once) == 9
    for one, other in zip(once, again, strict=True):
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.y, other.y)


def test_between_jumps_a_relation_is_linear_up_to_the_noise() -> None:
    x, y = linear(3, 400, every=200)
    for rows in (slice(200), slice(200, 400)):
        left = np.linalg.lstsq(x[rows], y[rows], rcond=None)[1]
        assert np.sqrt(left[0] / 195) == pytest.approx(NOISE, rel=0.2)
    assert np.linalg.lstsq(x, y, rcond=None)[1][0] > 2 * 400 * NOISE**2


@pytest.mark.slow
def test_fixed_factors_err_as_contexts_of_the_service_do(runtime: Runtime, short: Stream) -> None:
    limits, factor = Limits(100, 100), 5
    memory, expected = new_state(runtime.manifest, float(FIXED[factor])), []
    for x, y in zip(short.x[1], short.y[1], strict=True):
        if not memory.is_empty:
            expected.append(y - answer(runtime, limits, memory, x[None]).prediction[0])
        memory = learn(runtime, limits, memory, Observations(x[None], np.array([y])))
    assert_close(fixed(runtime, short)[factor, 1, 1:], expected, "errors", rtol=1e-8)


@pytest.mark.slow
def test_a_row_changes_no_prediction_before_the_next_row(runtime: Runtime, short: Stream) -> None:
    changed = short._replace(y=short.y + 100.0 * (np.arange(40) == 30))
    for before, after in (
        (auto(runtime, short).error, auto(runtime, changed).error),
        *((errors(make, short), errors(make, changed)) for make in PEERS.values()),
    ):
        np.testing.assert_array_equal(before[:, :30], after[:, :30])
        assert_close(after[:, 30] - before[:, 30], [100.0, 100.0], "error", rtol=1e-9)
        assert (before[:, 31:] != after[:, 31:]).any()


def test_the_report_says_which_goals_are_met() -> None:
    costs = {
        "POST observations": ObservationCost(1.5, 1e-3, 1.5e-3),
        "learning, in process": ObservationCost(2.5, 1e-3, 2.5e-3),
    }
    good, bad = (StreamErrors(np.linspace(2.0, 1.0, len(FIXED)), error, 0.9, {"a peer": 3.0}) for error in (1.02, 1.04))
    result = report({"good": good, "bad": bad}, costs)
    verdicts = {goal.measure.partition(":")[0]: goal.met for goal in result.goals}
    assert verdicts == {"good": True, "bad": False, "POST observations": True, "learning, in process": False}


def test_warming_up_is_not_counted() -> None:
    error = np.ones((2, 3, 20))
    error[..., :10] = np.nan
    assert mean_square(error).tolist() == [1.0, 1.0]
