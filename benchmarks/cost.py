"""The cost of a prediction with an interval, compared with models that are fitted to the same rows, in one process.

1,000 observations of 10 columns, one thread, no HTTP. *one-shot*: context and 10 queries in one call; a peer is fitted
and predicts. *one more*: one observation is added and one query answered; a peer is fitted again to all rows. *query*:
one query from a context whose readout is cached; a peer predicts with its last fit. All methods take turns within a
round; times are medians, and ratios are the median within a round, in brackets its quartiles.
"""

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.accuracy.methods import REGRESSORS
from benchmarks.models import runtime_of
from benchmarks.results import Goal, Result, Table
from benchmarks.timing import Quartiles, Times, format_quartiles, in_turn, ratios
from service.inference.sizes import Array

ROWS, COLUMNS, QUERIES = 1_000, 10, 10
ROUNDS, SLOW_ROUNDS = 60, 3
"""Of the served models and RidgeCV, and of peers that take seconds."""
SEED = 0
CONTROL, *_ = PEERS = ("RidgeCV", "random forest", "gradient boosting", "Gaussian process")
SERVED = ("nonlinear", "linear")
ONE_SHOT, ONE_MORE, QUERY, OBSERVATION = "one-shot", "one more", "query", "observation"
TARGET_SECONDS = {ONE_SHOT: 6e-3, OBSERVATION: 1e-3, QUERY: 0.3e-3}
"""Of `nonlinear`; *observation* is one more without the query."""
TARGET_STATE_BYTES = 100_000

Calls = dict[str, Callable[[], object]]


class Data(NamedTuple):
    """One context, one observation more, and queries; y is a smooth function of the columns with noise."""

    x: Array
    y: Array
    query: Array


def data() -> Data:
    """Draw the rows (`default_rng(0)`)."""
    generator = np.random.default_rng(SEED)
    x = generator.normal(size=(ROWS + 1 + QUERIES, COLUMNS))
    y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + x[:, 3] + generator.normal(scale=0.3, size=len(x))
    return Data(x[: ROWS + 1], y[: ROWS + 1], x[ROWS + 1 :])


def served(name: str, drawn: Data) -> Calls:
    """Make the calls of a served model."""
    runtime = runtime_of(name)
    x, y = drawn.x[None], drawn.y[None, :, None]
    whole = {"x": x[:, :ROWS], "y": y[:, :ROWS]}
    one = {"x": x[:, ROWS:], "y": y[:, ROWS:]}
    query = {"x_query": drawn.query[None, :1]}
    state = runtime.state_after(runtime.run(whole))
    cached = {**state, **runtime.readout_of(runtime.run({**state, **query}))}
    return {
        ONE_SHOT: lambda: runtime.run({**whole, "x_query": drawn.query[None]}),
        OBSERVATION: lambda: runtime.run({**state, **one}),
        ONE_MORE: lambda: runtime.run({**state, **one, **query}),
        QUERY: lambda: runtime.run({**cached, **query}),
    }


def state_bytes(name: str) -> int:
    """Count the bytes of a state after all rows."""
    runtime, drawn = runtime_of(name), data()
    state = runtime.state_after(runtime.run({"x": drawn.x[None], "y": drawn.y[None, :, None]}))
    return sum(tensor.nbytes for tensor in state.values())


def peers() -> dict[str, Any]:
    """Make the models of scikit-learn, with their usual settings and fixed seeds."""
    return {name: REGRESSORS[name](ROWS) for name in PEERS}


def fitted(model: Any, drawn: Data) -> Calls:  # noqa: ANN401 - scikit-learn has no types
    """Make the calls of a model that is fitted."""
    return {
        ONE_SHOT: lambda: model.fit(drawn.x[:ROWS], drawn.y[:ROWS]).predict(drawn.query),
        ONE_MORE: lambda: model.fit(drawn.x, drawn.y).predict(drawn.query[:1]),
        QUERY: lambda: model.predict(drawn.query[:1]),
    }


def measure(rounds: int = ROUNDS, slow_rounds: int = SLOW_ROUNDS) -> dict[str, Times]:
    """Time every call of every method in turn: seconds by call and method."""
    drawn = data()
    fast = {name: served(name, drawn) for name in SERVED}
    slow = {name: fitted(model, drawn) for name, model in peers().items()}
    fast[CONTROL] = slow.pop(CONTROL)
    times: dict[str, Times] = {call: {} for call in (ONE_SHOT, ONE_MORE, QUERY, OBSERVATION)}
    slow_rounds = min(slow_rounds, rounds)
    for methods, number in (({**fast, **slow}, slow_rounds), (fast, rounds - slow_rounds)):
        calls = {(call, name): run for name, own in methods.items() for call, run in own.items()}
        for (call, name), seconds in in_turn(calls, number).items():
            times[call].setdefault(name, []).extend(seconds)
    return times


def run(*, quick: bool) -> Result:
    """Measure and report."""
    with threadpool_limits(1):
        times = measure(2, 1) if quick else measure()
    return report(times, {name: state_bytes(name) for name in SERVED})


def report(times: Mapping[str, Times], sizes: Mapping[str, int]) -> Result:
    """Lay out the measurements."""
    medians = {call: {name: median(seconds) for name, seconds in of.items()} for call, of in times.items()}
    within_rounds = {
        call: {name: ratios(of, name, CONTROL) for name in of} for call, of in times.items() if CONTROL in of
    }
    return lay_out(medians, within_rounds, sizes)


def lay_out(
    medians: Mapping[str, Mapping[str, float]],
    within_rounds: Mapping[str, Mapping[str, Quartiles]],
    sizes: Mapping[str, int],
) -> Result:
    """Lay out medians (seconds), ratios to the control and sizes of states (bytes)."""
    columns = (ONE_SHOT, ONE_MORE, QUERY)
    rows = [
        [
            name,
            *(
                f"{medians[call][name] * 1e3:.3g} ms ({format_quartiles(within_rounds[call][name])})"
                for call in columns
            ),
        ]
        for name in medians[ONE_SHOT]
    ]
    goals = [
        Goal(f"{call}, nonlinear", f"≤ {target * 1e3:g} ms", f"{found * 1e3:.2f} ms", found <= target)
        for call, target in TARGET_SECONDS.items()
        for found in [medians[call]["nonlinear"]]
    ]
    size = sizes["nonlinear"]
    target = f"≤ {TARGET_STATE_BYTES // 1_000} kB"
    goals.append(Goal("state, nonlinear", target, f"{size / 1e3:.1f} kB", size <= TARGET_STATE_BYTES))
    return Result(
        title="Cost of a prediction",
        method=__doc__ or "",
        tables=[Table("", [f"time, and its ratio to {CONTROL}", *columns], rows)],
        goals=goals,
        numbers={"median_seconds": medians, "ratios": within_rounds, "state_bytes": sizes},
    )
