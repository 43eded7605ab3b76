"""The report on accuracy: tables for each size of context, and a figure with the name of each line at its end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression  # type: ignore[import-untyped]

from benchmarks.accuracy.comparison import (
    BASELINE,
    LEVEL_DIFFERENCE,
    Cases,
    ClassificationRow,
    RegressionRow,
    SplitResult,
    compare_classification,
    compare_regression,
    summarize,
)
from benchmarks.accuracy.methods import BINS, MAX_TEST, MIN_PROBABILITY, MIN_TEST, SERVED
from benchmarks.plots import PALETTE, render
from benchmarks.results import Result, Table, short
from gdssm.reproduce.plot_style import INK, RC

FIGURE = "accuracy"
METHOD = """A case is a table with a number of rows of context n; its value is the median over {splits} random splits.
Split s is a permutation by `numpy.random.default_rng(1000 * s + n)`: the first n rows are the context, the next
{max_test} (at least {min_test}) the test. Regression: {regression}. Classification: {classification}."""
REGRESSION_METHOD = f"""R² is the median over cases; *level* the share of cases with R² ≥ that of {BASELINE} less
{LEVEL_DIFFERENCE}; *median* and *worst* the differences of R² to {BASELINE}; *rank* the mean rank among the methods
that have the case (1 is best). Coverage is that of the central 80 % and 90 % predictive intervals, the mean over splits
and cases; width that of the 90 % interval in standard deviations of y; the time to fit and predict is a median, on one
thread."""
CLASSIFICATION_METHOD = f"""Means over tables; log loss in nats, probabilities below {MIN_PROBABILITY} raised to it for
every method; expected calibration error of the most probable class in {BINS} bins."""
REGRESSION_HEADER = ["", "cases", "R²", "level", "median", "worst", "on", "rank", "80 %", "90 %", "width", "time"]
CLASSIFICATION_HEADER = ["", "cases", "log loss", "accuracy", "calibration error", "time"]
EVERY_SIZE = "all sizes"
SUMMARY_SIZES = ("10", "20", "50", "100", "500", "2000")
SUMMARY = ("nonlinear", "linear", "RidgeCV", "random forest", "gradient boosting", "Gaussian process")
OURS = "nonlinear"

Rows = Mapping[str, Sequence[RegressionRow]]
"""By size of context, or `EVERY_SIZE`."""


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


def report(results: Iterable[SplitResult]) -> Result:
    """Compare the methods of some results."""
    return lay_out(numbers(list(results)))


def numbers(results: Sequence[SplitResult]) -> dict[str, Any]:
    """Return rows by task and size, the value of every case, failures and versions."""
    regression, classification = summarize(results, "regression"), summarize(results, "classification")
    return {
        "versions": {result.key.method: result.key.version for result in results},
        "splits": max(regression.splits, classification.splits),
        "regression": {_size(n): list(map(asdict, compare_regression(regression, n))) for n in _sizes(regression)},
        "classification": {
            _size(n): list(map(asdict, compare_classification(classification, n))) for n in _sizes(classification)
        },
        "cases": {"r2": by_table(regression, "r2"), "log_loss": by_table(classification, "log_loss")},
        "failures": [[*key, error] for cases in (regression, classification) for key, error in cases.errors.items()],
    }


def lay_out(numbers: Mapping[str, Any]) -> Result:
    """Lay out tables for each size of context, and the figure."""
    regression = {size: [RegressionRow(**row) for row in rows] for size, rows in numbers["regression"].items()}
    classification = {
        size: [ClassificationRow(**row) for row in rows] for size, rows in numbers["classification"].items()
    }
    tables = [_summary(regression)] if regression else []
    tables += [
        Table(f"Regression, {_title(size)}", REGRESSION_HEADER, list(map(regression_cells, rows)))
        for size, rows in regression.items()
    ]
    tables += [
        Table(f"Classification, {_title(size)}", CLASSIFICATION_HEADER, list(map(classification_cells, rows)))
        for size, rows in classification.items()
    ]
    if failures := [[method, table, str(n), error] for n, table, method, error in numbers["failures"]]:
        tables.append(Table("Failures, whose cases have no value:", ["method", "table", "n", "error"], failures))
    return Result(
        title="Accuracy",
        method="\n\n".join([_method(numbers), REGRESSION_METHOD, CLASSIFICATION_METHOD]),
        tables=tables,
        numbers=numbers,
        figures={FIGURE: render(draw(median_r2(regression)), FIGURE)} if regression else {},
    )


def by_table(cases: Cases, measure: str) -> dict[str, dict[str, dict[int, float]]]:
    """Return the values of a measure by method, table and size, rounded to four digits."""
    values: dict[str, dict[str, dict[int, float]]] = {}
    for (n, table, method), value in cases.values.get(measure, {}).items():
        values.setdefault(method, {}).setdefault(table, {})[n] = round(value, 4)
    return values


def median_r2(rows: Rows) -> dict[str, dict[int, float]]:
    """Return the median R² over cases by method and size."""
    lines: dict[str, dict[int, float]] = {}
    for size, of in rows.items():
        if size != EVERY_SIZE:
            for row in of:
                lines.setdefault(row.method, {})[int(size)] = row.r2
    return lines


def regression_cells(row: RegressionRow) -> list[str]:
    """Write a row of a table."""
    return [
        row.method,
        str(row.cases),
        f"{row.r2:.3f}",
        _cell(row.share, ".2f"),
        _cell(row.median_difference, "+.3f"),
        _cell(row.worst_difference, "+.3g"),
        f"{row.worst_case[1]}, n = {row.worst_case[0]}" if row.worst_case else "",
        f"{row.rank:.1f}",
        _cell(row.coverage_80, ".3f"),
        _cell(row.coverage_90, ".3f"),
        _cell(row.width_90, ".2f"),
        _time(row.seconds),
    ]


def classification_cells(row: ClassificationRow) -> list[str]:
    """Write a row of a table."""
    values = (row.log_loss, row.accuracy, row.calibration_error)
    return [row.method, str(row.cases), *(f"{value:.3f}" for value in values), _time(row.seconds)]


def _summary(rows: Rows) -> Table:
    """Lay out the median R² of selected methods for each size, and rank and coverage of `nonlinear`."""
    header = ["rows", *SUMMARY, f"rank of `{OURS}`", "coverage of its 90 % interval"]
    lines = []
    for size in SUMMARY_SIZES:
        by_name = {row.method: row for row in rows.get(size, ())}
        if ours := by_name.get(OURS):
            place = 1 + sum(row.rank < ours.rank for row in by_name.values())
            scores = [f"{by_name[name].r2:.3f}" if name in by_name else "" for name in SUMMARY]
            coverage = _cell(ours.coverage_90, ".1%")
            lines.append([f"{int(size):,}", *scores, f"{place} of {len(by_name)}", coverage])
    return Table("Median R² against the rows of context:", header, lines)


def _method(numbers: Mapping[str, Any]) -> str:
    names = {
        measure: ", ".join(sorted({table for of in by_method.values() for table in of}, key=str.lower))
        for measure, by_method in numbers["cases"].items()
    }
    return METHOD.format(
        splits=numbers["splits"],
        max_test=MAX_TEST,
        min_test=MIN_TEST,
        regression=names["r2"],
        classification=names["log_loss"],
    )


def _sizes(cases: Cases) -> tuple[int | None, ...]:
    return (*cases.sizes, None) if cases.sizes else ()


def _size(n: int | None) -> str:
    return EVERY_SIZE if n is None else str(n)


def _title(size: str) -> str:
    return "all sizes of context:" if size == EVERY_SIZE else f"n = {size}:"


def _cell(value: float | None, digits: str) -> str:
    return "" if value is None else format(value, digits)


def _time(seconds: float) -> str:
    return f"{short(seconds)} s" if seconds >= 1 else f"{short(seconds * 1e3)} ms"


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
