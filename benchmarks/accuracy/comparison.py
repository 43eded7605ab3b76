"""Methods compared over cases: differences to RidgeCV and ranks for regression, means for classification.

A case is a table with one size of context; its value for a method is the median over the splits.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata  # type: ignore[import-untyped]

from benchmarks.accuracy.split_results import SplitResult

SECONDS = "seconds"
BASELINE = "RidgeCV"
LEVEL_DIFFERENCE = 0.01
"""R² that a method may lie below the baseline and still count as level."""

Values = Sequence[float] | NDArray[np.float64] | NDArray[np.bool_]


class CaseKey(NamedTuple):
    """A case and a method."""

    n: int
    """Rows of context."""
    table: str
    method: str


@dataclass(frozen=True)
class Cases:
    """The values of all cases of one task, by measure, then by case and method.

    Attributes:
        values: Medians over splits; a case in which a method failed on a split has none of that method.
        splits: The smallest number of splits of any case.
        errors: One message for each case and method that failed.
    """

    values: dict[str, dict[CaseKey, float]]
    splits: int
    errors: dict[CaseKey, str]

    @property
    def sizes(self) -> list[int]:
        """List the sizes of context, ascending."""
        return sorted({key.n for key in self.values.get(SECONDS, {})})

    @property
    def methods(self) -> list[str]:
        """List the methods in the order of the results."""
        return list(dict.fromkeys(key.method for key in self.values.get(SECONDS, {})))

    def of(self, measure: str, method: str, n: int | None = None) -> dict[tuple[int, str], float]:
        """Select the values of one measure for one method by (n, table), at one size or at all."""
        return {
            key[:2]: value
            for key, value in self.values.get(measure, {}).items()
            if key.method == method and n in {None, key.n}
        }


def summarize(results: Iterable[SplitResult], task: str) -> Cases:
    """Take medians over splits of the results of one task; of coverage, which is a probability, means."""
    chosen = [result for result in results if result.task == task]
    places = {key: place for place, key in enumerate(dict.fromkeys(map(_case, chosen)))}
    chosen.sort(key=lambda result: places[_case(result)])
    cases = Cases({}, 0, {})
    sizes = []
    for key, group in groupby(chosen, key=_case):
        found = list(group)
        sizes.append(len(found))
        if errors := [result.error for result in found if result.error]:
            cases.errors[key] = errors[0]
            continue
        for name in (*found[0].measures, SECONDS):
            values = [result.seconds if name == SECONDS else result.measures[name] for result in found]
            cases.values.setdefault(name, {})[key] = float(
                np.mean(values) if name.startswith("coverage") else np.median(values)
            )
    return Cases(cases.values, min(sizes, default=0), cases.errors)


def _case(result: SplitResult) -> CaseKey:
    return CaseKey(result.key.n, result.key.table, result.key.method)


@dataclass(frozen=True)
class RegressionRow:
    """One method over some cases.

    Attributes:
        cases: How many.
        r2: Median R².
        share: Share of the cases with R² ≥ the baseline's − 0.01; this and the differences are None without a baseline.
        median_difference: Of R² to the baseline's.
        worst_difference: The lowest difference.
        worst_case: n and table of the lowest difference.
        rank: Mean rank by R² among all methods that have the case; 1 is best.
        coverage_80, coverage_90: Mean coverage of the central predictive intervals, if the method has them.
        width_90: Median width of the wider one, in standard deviations of y.
        seconds: Median time to fit and predict.
    """

    method: str
    cases: int
    r2: float
    share: float | None
    median_difference: float | None
    worst_difference: float | None
    worst_case: tuple[int, str] | None
    rank: float
    coverage_80: float | None
    coverage_90: float | None
    width_90: float | None
    seconds: float


@dataclass(frozen=True)
class ClassificationRow:
    """One method over some cases: means over tables, and the median time to fit and predict."""

    method: str
    cases: int
    log_loss: float
    accuracy: float
    calibration_error: float
    seconds: float


def compare_regression(cases: Cases, n: int | None = None) -> list[RegressionRow]:
    """Compare at one size of context, or at all; cases without the baseline have no difference."""
    baseline, ranks = cases.of("r2", BASELINE, n), mean_ranks(cases, n)
    return [_regression_row(cases, name, baseline, ranks[name], n) for name in cases.methods if name in ranks]


def compare_classification(cases: Cases, n: int | None = None) -> list[ClassificationRow]:
    """Compare at one size of context, or at all."""
    return [
        ClassificationRow(
            method=name,
            cases=len(seconds),
            log_loss=_mean_over_cases(cases, "log_loss", name, n),
            accuracy=_mean_over_cases(cases, "accuracy", name, n),
            calibration_error=_mean_over_cases(cases, "calibration_error", name, n),
            seconds=float(np.median(seconds)),
        )
        for name in cases.methods
        if (seconds := list(cases.of(SECONDS, name, n).values()))
    ]


def mean_ranks(cases: Cases, n: int | None = None) -> dict[str, float]:
    """Rank the methods in each case by R², and take the mean over the cases; ties share their mean rank."""
    by_case: dict[tuple[int, str], dict[str, float]] = defaultdict(dict)
    for name in cases.methods:
        for case, value in cases.of("r2", name, n).items():
            by_case[case][name] = value
    ranks: dict[str, list[float]] = defaultdict(list)
    for values in by_case.values():
        for name, rank in zip(values, rankdata([-value for value in values.values()]), strict=True):
            ranks[name].append(rank)
    return {name: float(np.mean(found)) for name, found in ranks.items()}


def _regression_row(
    cases: Cases, name: str, baseline: dict[tuple[int, str], float], rank: float, n: int | None
) -> RegressionRow:
    r2 = cases.of("r2", name, n)
    differences = {case: r2[case] - baseline[case] for case in r2 if case in baseline}
    values = np.array(list(differences.values()))
    return RegressionRow(
        method=name,
        cases=len(r2),
        r2=float(np.median(list(r2.values()))),
        share=_mean(values >= -LEVEL_DIFFERENCE),
        median_difference=_median(values),
        worst_difference=float(values.min()) if len(values) else None,
        worst_case=min(differences, key=lambda case: differences[case], default=None),
        rank=rank,
        coverage_80=_mean(list(cases.of("coverage_80", name, n).values())),
        coverage_90=_mean(list(cases.of("coverage_90", name, n).values())),
        width_90=_median(list(cases.of("width_90", name, n).values())),
        seconds=float(np.median(list(cases.of(SECONDS, name, n).values()))),
    )


def _mean_over_cases(cases: Cases, measure: str, name: str, n: int | None) -> float:
    return float(np.mean(list(cases.of(measure, name, n).values())))


def _mean(values: Values) -> float | None:
    return float(np.mean(values)) if np.size(values) else None


def _median(values: Values) -> float | None:
    return float(np.median(values)) if np.size(values) else None
