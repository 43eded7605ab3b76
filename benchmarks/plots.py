"""Figures of measurements, all on logarithmic axes: growth as lines with their slopes, methods as bars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from benchmarks.results import short
from gdssm.reproduce.html import svg
from gdssm.reproduce.plot_style import INK, RC, SOFT

PALETTE = ("#1F6AAE", "#EE8A2A", "#009E73", "#B0579A", "#6B6B00", SOFT)
"""Colours that readers with colour blindness can distinguish (Okabe and Ito)."""
PANEL = 4.0
"""Inches, each way."""
BAR = 0.2
"""Inches from one bar to the next."""
FITTED_RANGE = 100.0
"""Slopes are fitted to the sizes from the largest down to this fraction of it; below, constant costs matter."""

Points = Mapping[float, float]
"""Measurements by size."""


@dataclass(frozen=True)
class Panel:
    """Some measurements of one kind against one size."""

    title: str
    size: str
    """Label of the horizontal axis."""
    unit: str
    """Label of the vertical axis."""
    lines: Mapping[str, Points]
    """By name."""


def slope(points: Points) -> float:
    """Fit the power of the size that the largest sizes follow: 1 is linear, 0 is constant."""
    size, measured = np.array(list(points)), np.array(list(points.values()))
    fitted = size >= size.max() / FITTED_RANGE
    return float(np.polyfit(np.log(size[fitted]), np.log(measured[fitted]), 1)[0])


def growth(panels: Sequence[Panel], columns: int = 3) -> Figure:
    """Draw lines against sizes, each with its slope in the legend."""
    rows = -(-len(panels) // columns)
    with rc_context(RC):
        figure = Figure(figsize=(PANEL * min(columns, len(panels)), PANEL * rows), layout="constrained")
        for place, panel in enumerate(panels, start=1):
            _lines(figure.add_subplot(rows, min(columns, len(panels)), place), panel)
    return figure


def bars(measured: Mapping[str, Mapping[str, float]], unit: str, ours: Sequence[str] = ("gdssm",)) -> Figure:
    """Draw a group of bars for each method.

    Args:
        measured: By method, then by kind of measurement (a colour each); methods may lack some.
        unit: Label of the axis.
        ours: Methods whose names are bold.
    """
    kinds = list(dict.fromkeys(kind for values in measured.values() for kind in values))
    places = {name: place * (len(kinds) + 1) for place, name in enumerate(measured)}
    with rc_context({**RC, "axes.grid.axis": "x", "axes.axisbelow": True}):
        figure = Figure(figsize=(2.4 * PANEL, 1 + BAR * (len(kinds) + 1) * len(measured)), layout="constrained")
        axes = figure.add_subplot(xscale="log", xlabel=unit)
        for row, kind in enumerate(kinds):
            having = {name: values[kind] for name, values in measured.items() if kind in values}
            heights = [places[name] + row for name in having]
            drawn = axes.barh(heights, list(having.values()), height=0.9, color=PALETTE[row % len(PALETTE)], label=kind)
            axes.bar_label(drawn, list(map(short, having.values())), padding=3, fontsize=8, color=INK)
        axes.margins(x=0.12, y=0.01)
        axes.invert_yaxis()
        axes.set_yticks([place + (len(kinds) - 1) / 2 for place in places.values()], list(places), size=10)
        axes.tick_params(axis="y", length=0)
        for label in axes.get_yticklabels():
            label.set_fontweight("bold" if label.get_text() in ours else "normal")
        if len(kinds) > 1:
            figure.legend(loc="outside upper right", ncols=len(kinds))
    return figure


def render(figure: Figure, name: str) -> str:
    """Return a figure as SVG, the same text for the same figure; text stays text."""
    with rc_context(RC):
        return svg(figure, name)


def _lines(axes: Axes, panel: Panel) -> None:
    axes.set(title=panel.title, xlabel=panel.size, ylabel=panel.unit, xscale="log", yscale="log")
    for color, (name, points) in zip(PALETTE, panel.lines.items(), strict=False):
        label = f"{name} (slope {slope(points):z.2f})"
        axes.plot(list(points), list(points.values()), color=color, marker="o", markeredgecolor="white", label=label)
    values = [value for points in panel.lines.values() for value in points.values()]
    axes.set_ylim(10 ** np.floor(np.log10(min(values))), 10 ** np.ceil(np.log10(max(values)) + 0.05))  # whole decades
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(fontsize=8.5)
