"""Contestants compared over cases: differences to RidgeCV and ranks for regression, means for classification.

A case is a table with one size of context; its value for a contestant is the median over the splits.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata  # type: ignore[import-untyped]

from benchmarks.accuracy.records import Record

SECONDS = "seconds"
BASELINE = "RidgeCV"
LEVEL_DIFFERENCE = 0.01
"""R² that a contestant may lie below the baseline and still count as level."""

Values = Sequence[float] | NDArray[np.float64] | NDArray[np.bool_]


class CaseKey(NamedTuple):
    """A case and a contestant."""

    n: int
    """Rows of context."""
    table: str
    contestant: str


@dataclass(frozen=True)
class Cases:
    """The values of all cases of one task, by measure, then by case and contestant.

    Attributes:
        values: Medians over splits; a case in which a contestant failed on a split has none of that contestant.
        splits: The smallest number of splits of any case.
        errors: One message for each case and contestant that failed.
    """

    values: dict[str, dict[CaseKey, float]]
    splits: int
    errors: dict[CaseKey, str]

    @property
    def sizes(self) -> list[int]:
        """List the sizes of context, ascending."""
        return sorted({key.n for key in self.values.get(SECONDS, {})})

    @property
    def contestants(self) -> list[str]:
        """List the contestants in the order of the records."""
        return list(dict.fromkeys(key.contestant for key in self.values.get(SECONDS, {})))

    def of(self, measure: str, contestant: str, n: int | None = None) -> dict[tuple[int, str], float]:
        """Select the values of one measure for one contestant by (n, table), at one size or at all."""
        return {
            key[:2]: value
            for key, value in self.values.get(measure, {}).items()
            if key.contestant == contestant and n in {None, key.n}
        }


def summarize(records: Iterable[Record], task: str) -> Cases:
    """Take medians over splits of the records of one task; of coverage, which is a probability, means."""
    chosen = [record for record in records if record.task == task]
    places = {key: place for place, key in enumerate(dict.fromkeys(map(_case, chosen)))}
    chosen.sort(key=lambda record: places[_case(record)])
    cases = Cases({}, 0, {})
    sizes = []
    for key, group in groupby(chosen, key=_case):
        found = list(group)
        sizes.append(len(found))
        if errors := [record.error for record in found if record.error]:
            cases.errors[key] = errors[0]
            continue
        for name in (*found[0].measures, SECONDS):
            values = [record.seconds if name == SECONDS else record.measures[name] for record in found]
            cases.values.setdefault(name, {})[key] = float(
                np.mean(values) if name.startswith("coverage") else np.median(values)
            )
    return Cases(cases.values, min(sizes, default=0), cases.errors)


def _case(record: Record) -> CaseKey:
    return CaseKey(record.key.n, record.key.table, record.key.contestant)


@dataclass(frozen=True)
class RegressionRow:
    """One contestant over some cases.

    Attributes:
        cases: How many.
        r2: Median R².
        share: Share of the cases with R² ≥ the baseline's − 0.01; this and the differences are None without a baseline.
        median_difference: Of R² to the baseline's.
        worst_difference: The lowest difference.
        worst_case: n and table of the lowest difference.
        rank: Mean rank by R² among all contestants that have the case; 1 is best.
        coverage_80, coverage_90: Mean coverage of the central predictive intervals, if the contestant has them.
        width_90: Median width of the wider one, in standard deviations of y.
        seconds: Median time to fit and predict.
    """

    contestant: str
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
    """One contestant over some cases: means over tables, and the median time to fit and predict."""

    contestant: str
    cases: int
    log_loss: float
    accuracy: float
    calibration_error: float
    seconds: float


def compare_regression(cases: Cases, n: int | None = None) -> list[RegressionRow]:
    """Compare at one size of context, or at all; cases without the baseline have no difference."""
    baseline, ranks = cases.of("r2", BASELINE, n), mean_ranks(cases, n)
    return [_regression_row(cases, name, baseline, ranks[name], n) for name in cases.contestants if name in ranks]


def compare_classification(cases: Cases, n: int | None = None) -> list[ClassificationRow]:
    """Compare at one size of context, or at all."""
    return [
        ClassificationRow(
            contestant=name,
            cases=len(seconds),
            log_loss=_mean_over_cases(cases, "log_loss", name, n),
            accuracy=_mean_over_cases(cases, "accuracy", name, n),
            calibration_error=_mean_over_cases(cases, "calibration_error", name, n),
            seconds=float(np.median(seconds)),
        )
        for name in cases.contestants
        if (seconds := list(cases.of(SECONDS, name, n).values()))
    ]


def mean_ranks(cases: Cases, n: int | None = None) -> dict[str, float]:
    """Rank the contestants in each case by R², and take the mean over the cases; ties share their mean rank."""
    by_case: dict[tuple[int, str], dict[str, float]] = defaultdict(dict)
    for name in cases.contestants:
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
        contestant=name,
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
