"""Median R² against the rows of context, one line for each contestant, its name at the end of its line."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression  # type: ignore[import-untyped]

from benchmarks.accuracy.contestants import SERVED
from benchmarks.plots import PALETTE
from gdssm.reproduce.plot_style import INK, RC

WIDTH, HEIGHT = 8.0, 5.0
"""Inches."""
LOWEST = -0.2
"""R² at which the vertical axis starts."""
LABEL_GAP = 0.045
"""Least distance of two names, as a share of the vertical axis."""
LABEL_OFFSET = 1.05
"""Where a name starts, as a multiple of the rows at which its line ends."""
OUR_COLORS = PALETTE[:2]
PEER_COLORS = (*PALETTE[2:], INK, "#7FB2E5")

Points = Mapping[int, float]
"""R² by rows of context."""


def draw(lines: Mapping[str, Points]) -> Figure:
    """Draw the served models with thick lines and the others with thin ones."""
    with rc_context(RC):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        axes = figure.add_subplot(xscale="log", xlabel="rows of context", ylabel="median R²")
        _scale(axes, lines)
        heights = label_heights(lines, LABEL_GAP * (axes.get_ylim()[1] - LOWEST))
        colors = {True: cycle(OUR_COLORS), False: cycle(PEER_COLORS)}
        for name, points in lines.items():
            ours = name in SERVED
            color = next(colors[ours])
            width, order, weight = (2.6, 3, "bold") if ours else (1.2, 2, "normal")
            axes.plot(list(points), list(points.values()), color=color, linewidth=width, zorder=order)
            axes.text(
                max(points) * LABEL_OFFSET,
                heights[name],
                name,
                color=color,
                size=9,
                verticalalignment="center",
                weight=weight,
                zorder=order + 2,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5},
            )
    return figure


def label_heights(lines: Mapping[str, Points], gap: float) -> dict[str, float]:
    """Find a height for each name, as close to the end of its line as the names that start at the same place allow."""
    heights: dict[str, float] = {}
    for end in {max(points) for points in lines.values()}:
        ends = {name: points[end] for name, points in lines.items() if max(points) == end}
        heights |= dict(zip(ends, spread(list(ends.values()), gap), strict=True))
    return heights


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Move heights as little as possible, in least squares, until each is at least `gap` above the next lower one."""
    order = np.argsort(heights, kind="stable")
    steps = gap * np.arange(len(order))
    placed = np.empty(len(order))
    placed[order] = isotonic_regression(np.array(heights)[order] - steps).x + steps
    return [float(height) for height in placed]


def _scale(axes: Axes, lines: Mapping[str, Points]) -> None:
    sizes = sorted({n for points in lines.values() for n in points})
    axes.set_ylim(LOWEST, max(value for points in lines.values() for value in points.values()) + 0.05)
    axes.set_xlim(sizes[0] * 0.9, sizes[-1] * 5)
    axes.set_xticks(sizes, [f"{n:,}" for n in sizes])
    axes.minorticks_off()
