"""The report on accuracy: tables for each size of context, and a figure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.accuracy.comparison import (
    BASELINE,
    LEVEL_DIFFERENCE,
    Cases,
    ClassificationRow,
    RegressionRow,
    compare_classification,
    compare_regression,
    summarize,
)
from benchmarks.accuracy.figure import draw
from benchmarks.accuracy.records import Record
from benchmarks.accuracy.scoring import BINS, MAX_TEST, MIN_PROBABILITY, MIN_TEST
from benchmarks.plots import render
from benchmarks.results import Result, Table, short

FIGURE = "accuracy"
METHOD = """A case is a table with a number of rows of context n; its value is the median over {splits} random splits.
Split s is a permutation by `numpy.random.default_rng(1000 * s + n)`: the first n rows are the context, the next
{max_test} (at least {min_test}) the test. Regression: {regression}. Classification: {classification}."""
REGRESSION_METHOD = f"""R² is the median over cases; *level* the share of cases with R² ≥ that of {BASELINE} less
{LEVEL_DIFFERENCE}; *median* and *worst* the differences of R² to {BASELINE}; *rank* the mean rank among the contestants
that have the case (1 is best). Coverage is that of the central 80 % and 90 % predictive intervals, the mean over splits
and cases; width that of the 90 % interval in standard deviations of y; the time to fit and predict is a median, on one
thread."""
CLASSIFICATION_METHOD = f"""Means over tables; log loss in nats, probabilities below {MIN_PROBABILITY} raised to it for
every contestant; expected calibration error of the most probable class in {BINS} bins."""
REGRESSION_HEADER = ["", "cases", "R²", "level", "median", "worst", "on", "rank", "80 %", "90 %", "width", "time"]
CLASSIFICATION_HEADER = ["", "cases", "log loss", "accuracy", "calibration error", "time"]
EVERY_SIZE = "all sizes"
SUMMARY_SIZES = ("10", "20", "50", "100", "500", "2000")
SUMMARY = ("nonlinear", "linear", "RidgeCV", "random forest", "gradient boosting", "Gaussian process")
OURS = "nonlinear"

Rows = Mapping[str, Sequence[RegressionRow]]
"""By size of context, or `EVERY_SIZE`."""


def report(records: Iterable[Record]) -> Result:
    """Compare the contestants of some records."""
    return lay_out(numbers(list(records)))


def numbers(records: Sequence[Record]) -> dict[str, Any]:
    """Return rows by task and size, the value of every case, failures and versions."""
    regression, classification = summarize(records, "regression"), summarize(records, "classification")
    return {
        "versions": {record.key.contestant: record.key.version for record in records},
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
    if failures := [[contestant, table, str(n), error] for n, table, contestant, error in numbers["failures"]]:
        tables.append(Table("Failures, whose cases have no value:", ["contestant", "table", "n", "error"], failures))
    return Result(
        title="Accuracy",
        method="\n\n".join([_method(numbers), REGRESSION_METHOD, CLASSIFICATION_METHOD]),
        tables=tables,
        numbers=numbers,
        figures={FIGURE: render(draw(median_r2(regression)), FIGURE)} if regression else {},
    )


def by_table(cases: Cases, measure: str) -> dict[str, dict[str, dict[int, float]]]:
    """Return the values of a measure by contestant, table and size, rounded to four digits."""
    values: dict[str, dict[str, dict[int, float]]] = {}
    for (n, table, contestant), value in cases.values.get(measure, {}).items():
        values.setdefault(contestant, {}).setdefault(table, {})[n] = round(value, 4)
    return values


def median_r2(rows: Rows) -> dict[str, dict[int, float]]:
    """Return the median R² over cases by contestant and size."""
    lines: dict[str, dict[int, float]] = {}
    for size, of in rows.items():
        if size != EVERY_SIZE:
            for row in of:
                lines.setdefault(row.contestant, {})[int(size)] = row.r2
    return lines


def regression_cells(row: RegressionRow) -> list[str]:
    """Write a row of a table."""
    return [
        row.contestant,
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
    return [row.contestant, str(row.cases), *(f"{value:.3f}" for value in values), _time(row.seconds)]


def _summary(rows: Rows) -> Table:
    """Lay out the median R² of selected contestants for each size, and rank and coverage of `nonlinear`."""
    header = ["rows", *SUMMARY, f"rank of `{OURS}`", "coverage of its 90 % interval"]
    lines = []
    for size in SUMMARY_SIZES:
        by_name = {row.contestant: row for row in rows.get(size, ())}
        if ours := by_name.get(OURS):
            place = 1 + sum(row.rank < ours.rank for row in by_name.values())
            scores = [f"{by_name[name].r2:.3f}" if name in by_name else "" for name in SUMMARY]
            coverage = _cell(ours.coverage_90, ".1%")
            lines.append([f"{int(size):,}", *scores, f"{place} of {len(by_name)}", coverage])
    return Table("Median R² against the rows of context:", header, lines)


def _method(numbers: Mapping[str, Any]) -> str:
    names = {
        measure: ", ".join(sorted({table for of in by_contestant.values() for table in of}, key=str.lower))
        for measure, by_contestant in numbers["cases"].items()
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
