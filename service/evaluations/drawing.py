"""The learning curves of a report as SVG; needs matplotlib, the extra `gdssm[plot]`."""

import io
from itertools import groupby
from math import ceil

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from service.evaluations.report import Report
from service.evaluations.result import ScoreView

PANELS_PER_ROW = 3
PANEL_SIZE = (3.6, 2.8)
"""Width and height in inches."""


def curves(report: Report) -> bytes:
    """Plot the loss over the number of observations: a panel for each distribution, a line for each learner.

    Returns:
        SVG, the same bytes for the same report.
    """
    panels = [(name, list(results)) for name, results in groupby(report.results, lambda result: result.distribution)]
    rows, own = ceil(len(panels) / PANELS_PER_ROW), {model.name for model in report.models}
    with mpl.rc_context({"svg.hashsalt": "gdssm", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(PANEL_SIZE[0] * PANELS_PER_ROW, PANEL_SIZE[1] * rows), layout="constrained")
        for i, (name, results) in enumerate(panels, start=1):
            axes = figure.add_subplot(rows, PANELS_PER_ROW, i, title=name, xlabel="observations", ylabel="loss")
            _draw(axes, results, own)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
        content = io.BytesIO()
        figure.savefig(content, format="svg", metadata={"Date": None})
    return content.getvalue()


def _draw(axes: Axes, results: list[ScoreView], own: set[str]) -> None:
    axes.set(xscale="log", yscale="log")
    for i, result in enumerate(results):
        points = [(point.observations, point.loss) for point in result.curve]
        finite = [(n, loss.mean, loss.low, loss.high) for n, loss in points if loss.mean and loss.low and loss.high]
        n, mean, low, high = zip(*finite, strict=True) if finite else ((), (), (), ())
        width = 2.0 if result.learner in own else 0.9
        axes.plot(n, mean, color=f"C{i % 10}", linewidth=width, marker=".", label=result.learner)
        axes.fill_between(n, low, high, color=f"C{i % 10}", alpha=0.12, linewidth=0)
