"""Streams whose relation changes: decay auto compared with fixed factors and with river's adaptive linear models."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from benchmarks.drift import streams
from benchmarks.drift.cost import ROUNDS, ObservationCost, costs
from benchmarks.drift.errors import FIXED, LEVEL, PEERS, auto, errors, fixed
from benchmarks.drift.streams import FRIEDMAN_ROWS, FRIEDMAN_RUNS, NOISE, Array, D, Stream
from benchmarks.results import Goal, Result, Table, short
from benchmarks.zoo import model_file
from service.inference.runtime import Runtime

WARM_UP = 10
"""Rows at the start of a stream that are not counted."""
TARGET_ERROR, TARGET_COST = 1.03, 2.0
COST_GOALS = ("learning, in process", "POST observations")
SELECTED = (1.0, 0.99, 0.97, 0.9)
"""Fixed factors with a column."""
POLLS = "Readouts are computed at every fourth observation; on polls that move daily that costs 12 % (gdssm/README.md)."
METHOD = f"""Every observation is predicted by `linear` before it is learnt. Squared errors are relative to those of the
fixed factor that is best for the stream in hindsight, of {", ".join(f"{decay:g}" for decay in FIXED)}.
The first {WARM_UP} rows are not counted. Own streams: {D} columns, {streams.ROWS} rows, {streams.RUNS} runs (seeds from
0), coefficients and columns of variance one, noise {NOISE:g}. Friedman's function: 10 columns, {FRIEDMAN_ROWS} rows,
{FRIEDMAN_RUNS} runs (seeds from 0)."""
COST = """Cost: a block of observations with a fixed decay and one with auto, in turn; the shortest times of all rounds,
and their ratio. A prediction after a change computes eight readouts instead of one, which learning alone does
not need."""


class StreamErrors(NamedTuple):
    """Mean squared errors of one kind of drift, and the share of intervals that cover y."""

    fixed: Array
    """(F,)."""
    auto: float
    coverage: float
    peers: Mapping[str, float]

    @property
    def best(self) -> float:
        """Of the fixed factors, in hindsight."""
        return float(self.fixed.min())

    @property
    def ratio(self) -> float:
        """Decay auto's error ÷ the best fixed factor's."""
        return self.auto / self.best


def mean_square(error: Array) -> Array:
    """Average over rows after the warm-up, and over runs; (…, S, N) to (…)."""
    return np.asarray(np.square(error[..., WARM_UP:]).mean((-2, -1)))


def compare(runtime: Runtime, stream: Stream) -> StreamErrors:
    """Predict one kind of drift with all methods."""
    ours = auto(runtime, stream)
    return StreamErrors(
        fixed=mean_square(fixed(runtime, stream)),
        auto=float(mean_square(ours.error)),
        coverage=float(np.nanmean(ours.inside[:, WARM_UP:])),
        peers={name: float(mean_square(errors(make, stream))) for name, make in PEERS.items()},
    )


def run(*, quick: bool) -> Result:
    """Measure and report; a quick run has three short streams."""
    runtime = Runtime.load(model_file("linear"))
    if quick:
        drawn = (stream for stream, _ in zip(streams.streams(2, 60), range(3), strict=False))
        return report({stream.name: compare(runtime, stream) for stream in drawn}, costs(runtime, 2))
    return report({stream.name: compare(runtime, stream) for stream in streams.streams()}, costs(runtime, ROUNDS))


def report(found: Mapping[str, StreamErrors], cost: Mapping[str, ObservationCost]) -> Result:
    """Lay out the errors by stream, and the costs by way to observe."""
    rows = [
        [name, short(one.best), f"{FIXED[one.fixed.argmin()]:g}", f"{one.ratio:.3f}"]
        + [f"{one.fixed[FIXED.tolist().index(decay)] / one.best:.2f}" for decay in SELECTED]
        + [f"{one.coverage:.3f}"]
        for name, one in found.items()
    ]
    header = ["stream", "squared error of the best", "best factor", "auto", *map(str, SELECTED)]
    peers = [[name, *(f"{error / one.best:.2f}" for error in one.peers.values())] for name, one in found.items()]
    times = [
        [name, f"{one.ratio:.2f}", f"{1e3 * one.fixed:.2f} ms", f"{1e3 * one.auto:.2f} ms"]
        for name, one in cost.items()
    ]
    return Result(
        title="Drift without tuning",
        method=METHOD,
        tables=[
            Table("", [*header, f"coverage of {LEVEL:.0%} intervals"], rows),
            Table(
                "river's adaptive linear models behind its scalers of x and of y, in the same units:",
                ["stream", *next(iter(found.values())).peers],
                peers,
            ),
            Table(COST, ["one observation, D = 10", "auto ÷ fixed", "fixed", "auto"], times),
        ],
        goals=list(_goals(found, cost)),
        numbers={
            "factors": FIXED.tolist(),
            "squared_errors": {name: {**one._asdict(), "fixed": one.fixed.tolist()} for name, one in found.items()},
            "cost": {name: one._asdict() for name, one in cost.items()},
        },
    )


def _goals(found: Mapping[str, StreamErrors], cost: Mapping[str, ObservationCost]) -> Iterator[Goal]:
    for name, one in found.items():
        measure = f"{name}: squared error ÷ best fixed factor's"
        reason = POLLS if one.fixed.argmin() == len(FIXED) - 1 else ""
        yield Goal(measure, f"≤ {TARGET_ERROR}", f"{one.ratio:.3f}", one.ratio <= TARGET_ERROR, reason)
    for name in COST_GOALS:
        if name in cost:
            ratio = cost[name].ratio
            yield Goal(f"{name}: auto ÷ fixed", f"≤ {TARGET_COST:g}", f"{ratio:.2f}", ratio <= TARGET_COST)
