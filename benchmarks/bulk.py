"""`gdssm predict --model linear` on a Parquet file of ten million rows, compared with numpy and scikit-learn."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.bulk_methods import ALL, CASES, CONTROL, INPUTS, OURS, chunks, command, write
from benchmarks.processes import ProcessCost, cost
from benchmarks.results import Goal, Result, Table
from service.inference.wide_readout import wide_readout
from service.tables.predicting import rows_in_chunk
from tests.gdssm.linear_oracle import Array


@dataclass(frozen=True)
class Moments:
    """Moments of the columns of x and of y, which is last."""

    count: int
    mean: Array
    covariance: Array

    def gdssm(self, x: Array) -> Array:
        """Answer as `linear` is defined: ridge regression, averaged over its strength by evidence, within reach.

        The readout comes from an eigendecomposition; `gdssm predict` leaves it to the graph.
        """
        inputs = x.shape[1]
        order = np.r_[inputs, :inputs]  # y first, as in the state
        comoment = self.count * self.covariance[np.ix_(order, order)]
        count = np.array([float(self.count)])
        state = {
            "state.count": count,
            "state.count_of_squares": count,
            "state.mean": self.mean[None, order],
            "state.present": np.zeros((1, 0)),
            "state.comoment": comoment[None],
            "state.peak": comoment.diagonal()[None],
        }
        found = wide_readout(state, 1, np.zeros(inputs), [np.ones(inputs)], scale=False, response=False)
        reach = (1.0 + np.sqrt(self.count - 1.0)) * np.sqrt(self.covariance.diagonal()[:inputs])
        near = (x - self.mean[:inputs]).clip(-reach, reach)
        answers: Array = near @ found["cached.weight"][0, :, 0] + self.mean[inputs]
        return answers

    def ridge(self, x: Array, strength: float) -> Array:
        """Answer by ridge regression with an intercept; by least squares where the strength is 0."""
        inputs = x.shape[1]
        gram = self.covariance[:inputs, :inputs] + strength / self.count * np.eye(inputs)
        weight = np.linalg.solve(gram, self.covariance[:inputs, inputs])
        answers: Array = (x - self.mean[:inputs]) @ weight + self.mean[inputs]
        return answers


def moments(read: Callable[[], Iterator[Array]]) -> Moments:
    """Read rows twice: for the mean, then for deviations from it and the error of the first mean.

    Args:
        read: Starts to read rows of x and y, in chunks.
    """
    count, mean = 0, np.zeros(1)
    for chunk in read():
        count += len(chunk)
        mean = mean + (chunk - mean).sum(0) / count
    off, products = np.zeros(1), np.zeros((1, 1))
    for chunk in read():
        centred = chunk - mean
        off = off + centred.sum(0) / count
        products = products + centred.T @ centred
    return Moments(count, mean + off, products / count - np.outer(off, off))


CHUNK_ROWS = rows_in_chunk(INPUTS + 1)
"""As in `gdssm predict`."""
DEFINITIONS: dict[str, Callable[[Moments, Array], Array]] = {
    OURS: Moments.gdssm,
    CONTROL: lambda known, x: known.ridge(x, 0.0),
    "Ridge": lambda known, x: known.ridge(x, 1.0),
}
"""The exact answers of methods; those of stochastic descent have no definition."""
TARGET_MEGABYTES, TARGET_RATIO, TARGET_ERROR = 300, 1.5, 1e-6
RATIO_REASON = "Settings and onnxruntime are started, and the graph also standardises."
METHOD = """Every method runs in a process that starts, reads {rows:,} rows of ten inputs and one output (float64 in
uncompressed Parquet, {gigabytes:.2f} GB, in the cache of the system), answers {queries:,} queries and ends. In turn,
repeats: {repeats}; medians (and all); one thread for arithmetic. *{control}* is the lower limit: XᵀX, Xᵀy and sums, by
the same reader in the same chunks. Ridge loads all rows; SGDRegressor reads twice. *Error* is the largest difference of
an answer from the method's definition (gdssm's is the model `linear`: ridge regression, averaged over its strength
by evidence), computed in float64 by two passes, relative to the spread of the answers."""


@dataclass(frozen=True)
class Answers:
    """Cost of the process of a method on one file, and the errors of its answers."""

    costs: Sequence[ProcessCost]
    r2: float
    off: float | None
    """None where the exact answers are not known."""

    def median(self, what: str) -> float:
        """Of all repeats."""
        return float(np.median([getattr(cost, what) for cost in self.costs]))


@dataclass(frozen=True)
class BulkMeasurements:
    """The measurements."""

    rows: int
    queries: int
    gigabytes: float
    files: Mapping[str, Mapping[str, Answers]]
    """By file, then by method."""
    hundredth: ProcessCost
    """Of gdssm on a hundredth of the rows."""

    def report(self) -> Result:
        """Lay out the measurements."""
        repeats = len(next(iter(self.files.values()))[OURS].costs)
        header = ["", "time", "÷ numpy's", "processor time", "peak memory", "R²", "error"]
        return Result(
            title="Bulk prediction",
            method=METHOD.format(
                rows=self.rows, queries=self.queries, gigabytes=self.gigabytes, repeats=repeats, control=CONTROL
            ),
            tables=[
                Table(f"{name[0].upper()}{name[1:]}:", header, list(self._rows(results)))
                for name, results in self.files.items()
            ],
            goals=list(self._goals()),
            numbers=asdict(self),
        )

    def _rows(self, results: Mapping[str, Answers]) -> Iterator[list[str]]:
        for name, result in results.items():
            times = ", ".join(f"{cost.seconds:.2f}" for cost in result.costs)
            yield [
                name,
                f"{result.median('seconds'):.2f} s ({times})",
                f"{_ratio(results, name):.2f}",
                f"{result.median('processor_seconds'):.2f} s",
                f"{result.median('megabytes'):,.0f} MB",
                f"{result.r2:.4f}",
                "" if result.off is None else f"{result.off:.1e}",
            ]

    def _goals(self) -> Iterator[Goal]:
        for file, results in self.files.items():
            ours = results[OURS]
            memory, ratio, error = ours.median("megabytes"), _ratio(results, OURS), ours.off or 0.0
            hundredth = f"{self.hundredth.megabytes:.0f} MB on a hundredth of the rows"
            target = f"< {TARGET_MEGABYTES} MB"
            yield Goal(f"{file}: memory", target, f"{memory:.0f} MB ({hundredth})", memory < TARGET_MEGABYTES)
            target = f"≤ {TARGET_RATIO}"
            yield Goal(f"{file}: time ÷ numpy's", target, f"{ratio:.2f}", ratio <= TARGET_RATIO, RATIO_REASON)
            target = f"≤ {TARGET_ERROR:g}"
            yield Goal(f"{file}: error", target, f"{error:.1e}", error <= TARGET_ERROR)


class Case:
    """Two files, and the answers of the methods."""

    def __init__(self, directory: Path, mean: float, rows: int, queries: int) -> None:
        self._directory, self.context, self._query = (
            directory,
            directory / "context.parquet",
            directory / "query.parquet",
        )
        write(self.context, rows, mean, seed=0)
        write(self._query, queries, mean, seed=1)

    def run(self, name: str) -> ProcessCost:
        """Run a method."""
        return cost(command(name, self.context, self._query, self._answers(name), CHUNK_ROWS))

    def answers(self, costs: dict[str, list[ProcessCost]]) -> dict[str, Answers]:
        """Compare the last answers of all methods with y and with the exact answers."""
        known = moments(lambda: chunks(self.context, CHUNK_ROWS))
        queries = np.concatenate(list(chunks(self._query, CHUNK_ROWS)))
        return {name: self._result(name, costs[name], known, queries[:, :-1], queries[:, -1]) for name in costs}

    def _result(self, name: str, costs: list[ProcessCost], known: Moments, x: Array, y: Array) -> Answers:
        answers = np.concatenate(list(chunks(self._answers(name), CHUNK_ROWS)))[:, 0]
        r2 = 1 - float(((y - answers) ** 2).mean() / y.var())
        if name not in DEFINITIONS:
            return Answers(costs, r2, None)
        expected = DEFINITIONS[name](known, x)
        return Answers(costs, r2, float(np.abs(answers - expected).max() / expected.std()))

    def _answers(self, name: str) -> Path:
        return self._directory / f"{name}.parquet"


def run(*, quick: bool) -> Result:
    """Measure and report."""
    return measure(3000, 50, 1) if quick else measure()


def measure(rows: int = 10_000_000, queries: int = 100_000, repeats: int = 2) -> Result:
    """Measure and report files of some rows."""
    files, gigabytes = {}, 0.0
    for file, mean in CASES.items():
        with TemporaryDirectory() as directory:
            case = Case(Path(directory), mean, rows, queries)
            costs: dict[str, list[ProcessCost]] = {name: [] for name in ALL}
            for name in list(ALL) * repeats:
                costs[name].append(case.run(name))
            files[file], gigabytes = case.answers(costs), case.context.stat().st_size / 1e9
    with TemporaryDirectory() as directory:
        hundredth = Case(Path(directory), 1.0, rows // 100, queries).run(OURS)
    return BulkMeasurements(rows, queries, gigabytes, files, hundredth).report()


def _ratio(results: Mapping[str, Answers], name: str) -> float:
    """Return the time relative to numpy's: the median over rounds."""
    rounds = zip(results[name].costs, results[CONTROL].costs, strict=True)
    return float(np.median([cost.seconds / control.seconds for cost, control in rounds]))
