"""The cost of a prediction with an interval compared with models that are fitted to the same rows, in one process.

1,000 observations of 10 columns, one thread, no HTTP. *one-shot*: context and 10 queries in one call; a peer is fitted
and predicts. *one more*: one observation is added and one query answered; a peer is fitted again to all rows. *query*:
one query from a context whose readout is cached; a peer predicts with its last fit. Every round times all contestants
in turn; times are medians, and ratios are the median within a round, in brackets its quartiles.
"""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

import service
from benchmarks.ratios import Times, ratios, told
from benchmarks.results import parse_out, write
from benchmarks.table import markdown, verdict
from service.runtime import Runtime
from service.shapes import Array

ROWS, COLUMNS, QUERIES = 1_000, 10, 10
ROUNDS, SLOW_ROUNDS = 60, 3
"""Of the served models and RidgeCV, and of peers that take seconds."""
SEED = 0
CONTROL = "RidgeCV"
SERVED = ("nonlinear", "linear")
FAST = {*SERVED, CONTROL}
ONE_SHOT, ONE_MORE, QUERY = "one-shot", "one more", "query"
GOALS = {ONE_SHOT: 6e-3, "observation": 1e-3, QUERY: 0.3e-3}
"""Seconds that `nonlinear` may take; *observation* is one more without the query."""
LARGEST_STATE = 100_000
"""Bytes."""

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
    runtime = Runtime.load(Path(service.__file__).parent / "zoo" / f"{name}.onnx")
    x, y = drawn.x[None], drawn.y[None, :, None]
    whole = {"x": x[:, :ROWS], "y": y[:, :ROWS]}
    one = {"x": x[:, ROWS:], "y": y[:, ROWS:]}
    query = {"x_query": drawn.query[None, :1]}
    state = runtime.state_after(runtime.run(whole))
    cached = {**state, **runtime.readout_of(runtime.run({**state, **query}))}
    return {
        ONE_SHOT: lambda: runtime.run({**whole, "x_query": drawn.query[None]}),
        "observation": lambda: runtime.run({**state, **one}),
        ONE_MORE: lambda: runtime.run({**state, **one, **query}),
        QUERY: lambda: runtime.run({**cached, **query}),
    }


def state_bytes(name: str) -> int:
    """Count the bytes of a state after all rows."""
    runtime, drawn = Runtime.load(Path(service.__file__).parent / "zoo" / f"{name}.onnx"), data()
    state = runtime.state_after(runtime.run({"x": drawn.x[None], "y": drawn.y[None, :, None]}))
    return sum(tensor.nbytes for tensor in state.values())


def peers() -> dict[str, Any]:
    """Make the models of scikit-learn, with their usual settings and fixed seeds."""
    process = GaussianProcessRegressor(ConstantKernel() * RBF() + WhiteKernel(), normalize_y=True, random_state=SEED)
    return {
        CONTROL: make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(-3, 3, 13))),
        "random forest": RandomForestRegressor(random_state=SEED, n_jobs=1),
        "gradient boosting": HistGradientBoostingRegressor(random_state=SEED),
        "Gaussian process": make_pipeline(StandardScaler(), process),
    }


def fitted(model: Any, drawn: Data) -> Calls:  # noqa: ANN401 - scikit-learn has no types
    """Make the calls of a model that is fitted."""
    return {
        ONE_SHOT: lambda: model.fit(drawn.x[:ROWS], drawn.y[:ROWS]).predict(drawn.query),
        ONE_MORE: lambda: model.fit(drawn.x, drawn.y).predict(drawn.query[:1]),
        QUERY: lambda: model.predict(drawn.query[:1]),
    }


def measure(rounds: int = ROUNDS, slow_rounds: int = SLOW_ROUNDS) -> dict[str, Times]:
    """Time every call of every contestant in turn: seconds by what is asked and by contestant."""
    drawn = data()
    calls = {name: served(name, drawn) for name in SERVED}
    calls |= {name: fitted(model, drawn) for name, model in peers().items()}
    times: dict[str, Times] = {what: {} for what in (ONE_SHOT, ONE_MORE, QUERY, "observation")}
    for number in range(rounds):
        for name, asked in calls.items():
            if name in FAST or number < slow_rounds:
                for what, call in asked.items():
                    start = time.perf_counter()
                    call()
                    times[what].setdefault(name, []).append(time.perf_counter() - start)
    return times


def section(times: dict[str, Times], sizes: dict[str, int]) -> str:
    """Report as tables."""
    asked = (ONE_SHOT, ONE_MORE, QUERY)
    rows = [
        [name, *(f"{median(times[what][name]) * 1e3:.3g} ms ({_ratio(times[what], name)})" for what in asked)]
        for name in times[ONE_SHOT]
    ]
    goals = [
        [f"{what}, at most {bound * 1e3:g} ms", "nonlinear", f"{found * 1e3:.2f} ms", verdict(found <= bound)]
        for what, bound in GOALS.items()
        for found in [median(times[what]["nonlinear"])]
    ]
    size = sizes["nonlinear"]
    kilobytes = f"{LARGEST_STATE // 1_000} kB"
    goals.append([f"state, at most {kilobytes}", "nonlinear", f"{size / 1e3:.1f} kB", verdict(size <= LARGEST_STATE)])
    return "\n".join(
        [
            f"## Cost\n\n{__doc__}",
            markdown([f"time, and its ratio to {CONTROL}", *asked], rows),
            markdown(["goal", "model", "measured", ""], goals),
        ]
    )


def _ratio(times: Times, name: str) -> str:
    rounds = len(times[name])
    return told(ratios({name: times[name], "control": times[CONTROL][:rounds]}, name, "control"))


def main(out: Path, rounds: int = ROUNDS) -> None:
    """Measure, and leave the results."""
    with threadpool_limits(1):
        times = measure(rounds)
    sizes = {name: state_bytes(name) for name in SERVED}
    medians = {what: {name: median(seconds) for name, seconds in of.items()} for what, of in times.items()}
    write(out, "cost", {"median_seconds": medians, "state_bytes": sizes}, section(times, sizes))


if __name__ == "__main__":
    main(parse_out(__doc__))
