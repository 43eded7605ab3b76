"""Results of single splits, and methods compared over cases by them.

A result is a line of JSON, one for each table, size, split and method; a run continues after the lines it finds.
Regression is compared by differences to RidgeCV and ranks, classification by means.

A case is a table with one size of context; its value for a method is the median over the splits.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata  # type: ignore[import-untyped]


class Key(NamedTuple):
    """Identity of one result."""

    table: str
    n: int
    """Rows of context."""
    split: int
    method: str
    version: str
    """The SHA-256 of the model file, or the version of scikit-learn."""


@dataclass(frozen=True)
class SplitResult:
    """One result."""

    key: Key
    task: str
    measures: Mapping[str, float] = field(default_factory=dict)
    """By name; without any if the method failed."""
    seconds: float = 0.0
    """To fit and to predict the test rows."""
    error: str = ""
    """Why the method failed."""


def read(path: Path) -> dict[Key, SplitResult]:
    """Read the results in a file, if it exists; an incomplete last line is ignored."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    results = [_parse(line) for line in lines if line.endswith("\n")]
    return {result.key: result for result in results}


def prepare(path: Path) -> None:
    """Make the directory of a file, and cut an incomplete last line off, so that `append` starts a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = path.read_bytes() if path.exists() else b""
    path.write_bytes(content[: content.rfind(b"\n") + 1])


def append(path: Path, results: Iterable[SplitResult]) -> None:
    """Write results after those in the file."""
    lines = [json.dumps({**result.key._asdict(), **_values(result)}) + "\n" for result in results]
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(lines))


def select(results: Mapping[Key, SplitResult], keys: Collection[Key]) -> list[SplitResult]:
    """Return the results of these keys that exist."""
    return [results[key] for key in keys if key in results]


def _values(result: SplitResult) -> dict[str, object]:
    values = asdict(result)
    del values["key"]
    return values


def _parse(line: str) -> SplitResult:
    values = json.loads(line)
    return SplitResult(Key(*(values.pop(name) for name in Key._fields)), **values)


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
