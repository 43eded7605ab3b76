"""Times of calls that take turns, and ratios within each round: a machine that drifts changes all calls of a round."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

Name = TypeVar("Name", bound=Hashable)
Times = dict[str, list[float]]
"""Seconds of one call by name, a number for each round."""
Quartiles = tuple[float, float, float]
"""Lower quartile, median, upper quartile."""


def in_turn(
    calls: Mapping[Name, Callable[[], object]], rounds: int, repeats: int = 1, *, warm_up: bool = False
) -> dict[Name, list[float]]:
    """Time every call once in each round.

    Args:
        calls: By name, in the order of a round.
        rounds: How many.
        repeats: Calls in a row that are timed together.
        warm_up: Whether one call that is not timed precedes them.

    Returns:
        Seconds of one call, by name and round.
    """
    times: dict[Name, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            if warm_up:
                call()
            start = time.perf_counter()
            for _ in range(repeats):
                call()
            times[name].append((time.perf_counter() - start) / repeats)
    return times


def quartiles(values: Sequence[float]) -> Quartiles:
    """Return the quartiles of some rounds."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return float(low), float(middle), float(high)


def ratios(times: Mapping[str, Sequence[float]], name: str, control: str) -> Quartiles:
    """Return the quartiles of the ratio of two calls, round by round; one may have fewer rounds."""
    return quartiles([a / b for a, b in zip(times[name], times[control], strict=False)])


def format_quartiles(ratio: Quartiles) -> str:
    """Write the median, and the quartiles in brackets."""
    low, middle, high = ratio
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"
