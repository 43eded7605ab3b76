"""Calls that are timed in turn, again and again, so that each meets the same machine."""

import time
from collections.abc import Callable, Mapping

from benchmarks.ratios import Times

IN_A_ROW = 5
"""Calls that are timed as one, after one that brings their code and data back into the caches."""


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
