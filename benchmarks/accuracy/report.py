"""The report on accuracy: tables for each size of context, the numbers behind them, and a figure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.accuracy import readme
from benchmarks.accuracy.cases import Cases, summarize
from benchmarks.accuracy.comparison import (
    BASELINE,
    MARGIN,
    ClassificationRow,
    RegressionRow,
    compare_classification,
    compare_regression,
)
from benchmarks.accuracy.figure import draw
from benchmarks.accuracy.measures import BINS, MIN_PROBABILITY
from benchmarks.accuracy.records import Record
from benchmarks.accuracy.splits import MAX_TEST, MIN_TEST
from benchmarks.plots import save
from benchmarks.results import RESULTS, write
from benchmarks.table import markdown, short

TOPIC = "accuracy"
METHOD = f"""A case is a table with a number of rows of context n; its value is the median over {{splits}} random
splits. Split s is a permutation by `numpy.random.default_rng(1000 * s + n)`: the first n rows are the context, the next
{MAX_TEST} (at least {MIN_TEST}) the test. Tables: {{tables}}."""
REGRESSION_METHOD = f"""R² is the median over cases; *level* the share of cases with R² ≥ that of {BASELINE} − {MARGIN};
*median* and *worst* the differences of R² to {BASELINE}; *rank* the mean rank among the contestants that have the case
(1 is best). Coverage is that of the central 80 % and 90 % predictive intervals, the mean over splits and cases; width
that of the 90 % interval in standard deviations of y; time is to fit and predict on one thread, median."""
CLASSIFICATION_METHOD = f"""Means over tables; log loss in nats, probabilities below {MIN_PROBABILITY} raised to it for
every contestant; expected calibration error of the most probable class in {BINS} bins."""
REGRESSION_HEADER = ["", "cases", "R²", "level", "median", "worst", "on", "rank", "80 %", "90 %", "width", "time"]
CLASSIFICATION_HEADER = ["", "cases", "log loss", "accuracy", "calibration error", "time"]
EVERY_SIZE = "all sizes"


def report(out: Path, records: Iterable[Record]) -> None:
    """Write accuracy.md, accuracy.json and, if there are regression tables, accuracy.svg."""
    records = list(records)
    regression, classification = summarize(records, "regression"), summarize(records, "classification")
    if regression.sizes:
        save(draw(median_r2(regression)), out / f"{TOPIC}.svg")
    write(out, TOPIC, numbers(records, regression, classification), section(regression, classification))
    if out == RESULTS:
        readme.show()


def numbers(records: Sequence[Record], regression: Cases, classification: Cases) -> dict[str, object]:
    """Lay out for JSON: rows by task and size, the value of every case, failures and versions."""
    return {
        "versions": {record.key.contestant: record.key.version for record in records},
        "regression": {size: [asdict(row) for row in rows] for size, rows in _regression(regression).items()},
        "classification": {
            size: [asdict(row) for row in rows] for size, rows in _classification(classification).items()
        },
        "cases": {"r2": by_table(regression, "r2"), "log_loss": by_table(classification, "log_loss")},
        "failures": [[*key, error] for cases in (regression, classification) for key, error in cases.errors.items()],
    }


def by_table(cases: Cases, measure: str) -> dict[str, dict[str, dict[int, float]]]:
    """Return the values of a measure by contestant, table and size, rounded to what is significant."""
    values: dict[str, dict[str, dict[int, float]]] = {}
    for (n, table, contestant), value in cases.values.get(measure, {}).items():
        values.setdefault(contestant, {}).setdefault(table, {})[n] = round(value, 4)
    return values


def section(regression: Cases, classification: Cases) -> str:
    """Write the section of Markdown."""
    parts = ["## Accuracy"]
    if regression.sizes:
        parts += ["### Regression", _method(regression), REGRESSION_METHOD, f"![Median R² against n]({TOPIC}.svg)"]
        for size, rows in _regression(regression).items():
            parts += [_title(size), markdown(REGRESSION_HEADER, map(regression_cells, rows)).strip()]
    if classification.sizes:
        parts += ["### Classification", _method(classification), CLASSIFICATION_METHOD]
        for size, lines in _classification(classification).items():
            parts += [_title(size), markdown(CLASSIFICATION_HEADER, map(classification_cells, lines)).strip()]
    failures = [
        f"- {key.contestant}, {key.table}, n = {key.n}: {error}"
        for cases in (regression, classification)
        for key, error in cases.errors.items()
    ]
    if failures:
        parts += ["### Cases without a value, because the contestant failed", "\n".join(failures)]
    return "\n\n".join(parts)


def median_r2(cases: Cases) -> dict[str, dict[int, float]]:
    """Return the median R² over cases by contestant and size."""
    lines: dict[str, dict[int, float]] = {}
    for n in cases.sizes:
        for row in compare_regression(cases, n):
            lines.setdefault(row.contestant, {})[n] = row.r2
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


def _regression(cases: Cases) -> dict[str, list[RegressionRow]]:
    return {_size(n): compare_regression(cases, n) for n in (*cases.sizes, None)} if cases.sizes else {}


def _classification(cases: Cases) -> dict[str, list[ClassificationRow]]:
    return {_size(n): compare_classification(cases, n) for n in (*cases.sizes, None)} if cases.sizes else {}


def _method(cases: Cases) -> str:
    names = sorted({key.table for values in cases.values.values() for key in values}, key=str.lower)
    return METHOD.format(splits=cases.splits, tables=", ".join(names))


def _size(n: int | None) -> str:
    return EVERY_SIZE if n is None else str(n)


def _title(size: str) -> str:
    return "All sizes of context:" if size == EVERY_SIZE else f"n = {size}:"


def _cell(value: float | None, digits: str) -> str:
    return "" if value is None else format(value, digits)


def _time(seconds: float) -> str:
    return f"{short(seconds)} s" if seconds >= 1 else f"{short(seconds * 1e3)} ms"
