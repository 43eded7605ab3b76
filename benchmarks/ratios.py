"""Ratios of times that were taken in turn: within each round, as a machine drifts from one to the next."""

import numpy as np

Times = dict[str, list[float]]
"""Seconds of one call, by name, a number for each round."""
Quartiles = tuple[float, float, float]
"""Lower quartile, median, upper quartile."""


def quartiles(values: list[float]) -> Quartiles:
    """Sum up some rounds."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return float(low), float(middle), float(high)


def ratios(times: Times, name: str, control: str) -> Quartiles:
    """Compare two calls round by round: the quartiles of their ratio."""
    return quartiles([a / b for a, b in zip(times[name], times[control], strict=True)])


def told(ratio: Quartiles) -> str:
    """Write a ratio: its median, and in brackets its quartiles."""
    low, middle, high = ratio
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"
