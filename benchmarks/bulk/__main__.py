"""`gdssm predict` on a Parquet file of ten million rows, beside numpy and scikit-learn on the same file."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import results
from benchmarks.bulk.contestants import ALL, CONTROL, OURS, chunks, command
from benchmarks.bulk.cost import Cost, cost
from benchmarks.bulk.files import CASES, INPUTS, write
from benchmarks.bulk.oracle import Moments, moments
from benchmarks.bulk.report import Found, Result
from service.files.prediction_job import rows_at_once
from tests.gdssm.linear_oracle import Array

AT_ONCE = rows_at_once(INPUTS)
"""Rows of a chunk, as `gdssm predict` has them."""
DEFINITIONS: dict[str, Callable[[Moments, Array], Array]] = {
    OURS: Moments.gdssm,
    CONTROL: lambda known, x: known.ridge(x, 0.0),
    "Ridge": lambda known, x: known.ridge(x, 1.0),
}
"""What contestants should answer; what stochastic descent should, nobody knows."""


class Case:
    """Two files, and what the contestants make of them."""

    def __init__(self, directory: Path, mean: float, rows: int, queries: int) -> None:
        self._directory, self.context, self._query = (
            directory,
            directory / "context.parquet",
            directory / "query.parquet",
        )
        write(self.context, rows, mean, seed=0)
        write(self._query, queries, mean, seed=1)

    def run(self, name: str) -> Cost:
        """Let a contestant answer."""
        return cost(command(name, self.context, self._query, self._answers(name), AT_ONCE))

    def results(self, costs: dict[str, list[Cost]]) -> dict[str, Result]:
        """Hold the last answers of everyone against y, and against what they should be."""
        known = moments(lambda: chunks(self.context, AT_ONCE))
        asked = np.concatenate(list(chunks(self._query, AT_ONCE)))
        return {name: self._result(name, costs[name], known, asked[:, :-1], asked[:, -1]) for name in costs}

    def _result(self, name: str, costs: list[Cost], known: Moments, x: Array, y: Array) -> Result:
        answers = np.concatenate(list(chunks(self._answers(name), AT_ONCE)))[:, 0]
        r2 = 1 - float(((y - answers) ** 2).mean() / y.var())
        if name not in DEFINITIONS:
            return Result(costs, r2, None)
        expected = DEFINITIONS[name](known, x)
        return Result(costs, r2, float(np.abs(answers - expected).max() / expected.std()))

    def _answers(self, name: str) -> Path:
        return self._directory / f"{name}.parquet"


def main(out: Path, rows: int = 10_000_000, queries: int = 100_000, repeats: int = 2) -> None:
    """Measure, and leave the results."""
    files, gigabytes = {}, 0.0
    for file, mean in CASES.items():
        with TemporaryDirectory() as directory:
            case = Case(Path(directory), mean, rows, queries)
            costs: dict[str, list[Cost]] = {name: [] for name in ALL}
            for name in list(ALL) * repeats:
                costs[name].append(case.run(name))
            files[file], gigabytes = case.results(costs), case.context.stat().st_size / 1e9
    with TemporaryDirectory() as directory:
        hundredth = Case(Path(directory), 1.0, rows // 100, queries).run(OURS)
    found = Found(rows, queries, gigabytes, files, hundredth)
    results.write(out, "bulk", found.numbers(), found.section())


if __name__ == "__main__":
    main(results.parse_out(__doc__))
