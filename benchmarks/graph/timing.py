"""Calls that are timed in turn, again and again, so that each meets the same machine."""

import time
from collections.abc import Callable, Mapping

import numpy as np

IN_A_ROW = 5
"""Calls that are timed as one, after one that brings their code and data back into the caches."""

Times = dict[str, list[float]]
"""Seconds of one call, by name, a number for each round."""


def time_in_turn(calls: Mapping[str, Callable[[], object]], rounds: int) -> Times:
    """Time every call once a round."""
    times: Times = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            call()
            start = time.perf_counter()
            for _ in range(IN_A_ROW):
                call()
            times[name].append((time.perf_counter() - start) / IN_A_ROW)
    return times


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return float(low), float(middle), float(high)


def ratios(times: Times, name: str, control: str) -> tuple[float, float, float]:
    """Compare two calls round by round: the quartiles of their ratio."""
    return quartiles([a / b for a, b in zip(times[name], times[control], strict=True)])
