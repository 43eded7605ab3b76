"""Lines with labels at their ends."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from gdssm.reproduce.curves import Curves
from gdssm.reproduce.plot_style import plot_style

LABEL_HEIGHT = 12.5
"""In points."""
LOSS = "½ · mean squared error (lower is better)"


def figure(columns: int, width: float = 10.0, height: float = 4.2) -> tuple[Figure, Sequence[Axes]]:
    """Make a figure with some axes side by side."""
    drawing = Figure(figsize=(width, height), layout="constrained")
    axes = drawing.subplots(1, columns, squeeze=False)[0]
    return drawing, list(axes)


def draw_curves(axes: Axes, curves: Curves, *, floor: float = 0.0, ceiling: float = np.inf) -> None:
    """Draw learners' losses on a logarithmic scale, with intervals and names.

    Args:
        axes: To draw on.
        curves: The losses.
        floor: Smaller losses are drawn here, with a triangle that points down.
        ceiling: Larger losses are drawn here, with a triangle that points up and the largest one of each learner.
    """
    logarithmic(axes.yaxis)
    ends = {}
    for name, band in curves["series"].items():
        style, x = plot_style(name), np.array(curves["x"])
        low, mean, high = (np.clip(band[end], floor, ceiling) for end in ("low", "mean", "high"))
        axes.fill_between(x, low, high, color=style.color, alpha=0.15, linewidth=0, zorder=1)
        axes.plot(x, mean, **style.line())
        outside = {"v": np.array(band["mean"]) < floor, "^": np.array(band["mean"]) > ceiling}
        for marker, places in outside.items():
            axes.plot(x[places], mean[places], marker, color=style.color, markersize=7, zorder=6)
        note = " (below)" if outside["v"][-1] else f" (to {max(band['mean']):.0e})" if outside["^"].any() else ""
        ends[name + note] = (curves["x"][-1], float(mean[-1]))
    axes.set(xlabel=curves["axis"])
    axes.margins(x=0.02)
    axes.autoscale_view()
    name_ends(axes, ends)


def draw_side_by_side(found: Mapping[str, Curves], *, floor: float, ceiling: float) -> Figure:
    """Draw curves along logarithmic axes, side by side under their titles, see `draw_curves`."""
    drawing, axes = figure(len(found), width=11.5, height=4.8)
    for axis, (title, curves) in zip(axes, found.items(), strict=True):
        logarithmic(axis.xaxis, curves["x"])
        draw_curves(axis, curves, floor=floor, ceiling=ceiling)
        axis.set(title=title, ylabel=LOSS)
    return drawing


def logarithmic(axis: Axis, ticks: Sequence[float] = ()) -> None:
    """Make an axis logarithmic with plain numbers at its powers of ten, or at the given places."""
    axes = axis.axes
    (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    if ticks:
        axis.set_major_locator(FixedLocator(ticks))


def name_ends(axes: Axes, ends: dict[str, tuple[float, float]]) -> None:
    """Write the name of every line to the right of its end, without overlap."""
    names = sorted(ends, key=lambda name: ends[name][1])
    height = axes.get_figure().get_size_inches()[1] * 72 * 0.74  # type: ignore[union-attr]
    to_axes = axes.transData + axes.transAxes.inverted()
    wanted = [float(to_axes.transform(ends[name])[1]) for name in names]
    for name, place in zip(names, spread(wanted, LABEL_HEIGHT / height), strict=True):
        axes.annotate(
            name,
            (1.0, place),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=plot_style(name).color,
            fontsize=9,
            annotation_clip=False,
        )


def spread(places: Sequence[float], apart: float) -> list[float]:
    """Move places, given in rising order, by as little as keeps them `apart` and below 1."""
    moved = list(places)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + apart)
    limit = 1.0
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], limit)
        limit = moved[i] - apart
    return moved
