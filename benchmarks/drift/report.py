"""The tables: errors relative to the best fixed factor known in hindsight, coverage, and cost."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from benchmarks.drift.cost import Cost
from benchmarks.drift.prequential import FIXED, LEVEL
from benchmarks.drift.streams import FRIEDMAN_ROWS, FRIEDMAN_RUNS, NOISE, ROWS, RUNS, Array, D
from benchmarks.table import markdown, short, verdict

WARM_UP = 10
"""Rows at the start of a stream that are not counted."""
GOAL, COST_GOAL = 1.03, 2.0
COUNTED = ("learning, in process", "POST observations")
"""What has to meet COST_GOAL."""


class Found(NamedTuple):
    """Mean squared errors of one kind of drift, and the share of intervals that hold y."""

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
        """Decay auto's error, of the best fixed factor's."""
        return self.auto / self.best


def mean_square(error: Array) -> Array:
    """Average over the rows that count, and over runs; (…, S, N) to (…)."""
    return np.asarray(np.square(error[..., WARM_UP:]).mean((-2, -1)))


def section(found: Mapping[str, Found], costs: Mapping[str, Cost]) -> str:
    """Tell it as tables."""
    errors = [
        [name, short(one.best), f"{FIXED[one.fixed.argmin()]:g}", f"{one.ratio:.3f}", verdict(one.ratio <= GOAL)]
        + [f"{one.fixed[FIXED.tolist().index(decay)] / one.best:.2f}" for decay in SHOWN]
        + [f"{one.coverage:.3f}"]
        for name, one in found.items()
    ]
    head = ["stream", "squared error of the best", "best factor", "auto", f"at most {GOAL}", *map(str, SHOWN)]
    peers = [[name, *(f"{error / one.best:.2f}" for error in one.peers.values())] for name, one in found.items()]
    times = [
        [name, f"{ratio:.2f}", f"{1e3 * fixed:.2f} ms", f"{1e3 * auto:.2f} ms", _cost_verdict(name, ratio)]
        for name, (ratio, fixed, auto) in costs.items()
    ]
    return "\n".join(
        [
            f"## Drift without tuning\n\n{INTRODUCTION}\n",
            markdown([*head, f"{LEVEL:.0%} intervals hold"], errors),
            "river's adaptive linear models behind its scalers of x and of y, in the same units:\n",
            markdown(["stream", *next(iter(found.values())).peers], peers),
            COST,
            markdown(["one observation, D = 10", "auto / fixed", "fixed", "auto", f"at most {COST_GOAL:g}"], times),
        ]
    )


def _cost_verdict(name: str, ratio: float) -> str:
    return verdict(ratio <= COST_GOAL) if name in COUNTED else ""


SHOWN = (1.0, 0.99, 0.97, 0.9)
INTRODUCTION = f"""\
Every observation is predicted by `linear` before it is learnt. Squared errors are relative to those of the fixed factor
that turned out best for the kind of drift, of {", ".join(f"{decay:g}" for decay in FIXED)}.
The first {WARM_UP} rows are not counted. Own streams: {D} columns, {ROWS} rows, {RUNS} runs (seeds from 0),
coefficients and columns of variance one, noise {NOISE:g}. Friedman's function: 10 columns, {FRIEDMAN_ROWS} rows,
{FRIEDMAN_RUNS} runs (seeds from 0)."""
COST = """\
Cost: a block of observations with a fixed decay and one with auto, in turn; the shortest times of all rounds, and their
ratio. A prediction after a change works out eight readouts instead of one, which learning alone does not need.
"""
