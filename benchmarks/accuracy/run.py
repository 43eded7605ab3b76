"""Accuracy on 48 tables: the served models compared with scikit-learn's, in worker processes of one thread each."""

import os
import time
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from benchmarks.accuracy import comparison, methods, tables
from benchmarks.accuracy.comparison import Key, SplitResult
from benchmarks.accuracy.methods import SIZES, SPLITS, Method, Split, fits, measure, split
from benchmarks.accuracy.report import report
from benchmarks.results import Result

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PROCESSES = 2
RESULTS = Path(__file__).parents[2] / ".bench" / "accuracy" / "results.jsonl"
"""Single results; a run continues after them. Ignored by git."""
QUICK_TABLES = ("diabetes", "airquality", "friedman1", "iris")


@dataclass(frozen=True)
class Plan:
    """Every split of every case; a case is a table with a size of context."""

    tables: Sequence[str]
    methods: Sequence[str] | None = None
    """None: all."""
    sizes: Sequence[int] = SIZES
    splits: int = SPLITS

    def keys(self) -> list[Key]:
        """List the results wanted: the first split of all cases, then the second, and so on."""
        chosen = methods.methods(self.methods).values()
        return [
            Key(table.name, n, index, method.name, method.version)
            for index in range(self.splits)
            for n in self.sizes
            for table in map(tables.load, self.tables)
            if fits(table, n)
            for method in chosen
            if method.task == table.task and n <= method.max_n
        ]


QUICK = Plan(QUICK_TABLES, sizes=(5, 20), splits=1)


def run(*, quick: bool) -> Result:
    """Measure and report."""
    plan, path = (QUICK, RESULTS.with_name("quick.jsonl")) if quick else (Plan(tables.names()), RESULTS)
    complete(plan, path, PROCESSES)
    return report(comparison.select(comparison.read(path), plan.keys()))


def complete(plan: Plan, path: Path, processes: int) -> None:
    """Run the results that a file lacks, and append each to the file."""
    comparison.prepare(path)
    missing = without(plan.keys(), comparison.read(path))
    os.environ.update(dict.fromkeys(THREAD_LIMITS, "1"))  # numpy reads them when a worker imports it
    with (
        get_context("spawn").Pool(processes) as pool,
        tqdm(total=len(missing), unit="result", smoothing=0) as bar,
    ):
        for found in pool.imap_unordered(evaluate, list(by_split(missing))):
            comparison.append(path, found)
            bar.update(len(found))


def without(wanted: Sequence[Key], found: Collection[Key]) -> list[Key]:
    """Return the keys that are wanted and not found, in order."""
    return [key for key in wanted if key not in found]


def by_split(keys: Sequence[Key]) -> Iterator[list[Key]]:
    """Group consecutive keys of the same split of the same case."""
    for _, group in groupby(keys, key=lambda key: key[:3]):
        yield list(group)


def evaluate(keys: Sequence[Key]) -> list[SplitResult]:
    """Run methods on one split of one case.

    Raises:
        ValueError: A model file was replaced after the run began; run again.
    """
    if changed := {key.method for key in keys if _methods()[key.method].version != key.version}:
        raise ValueError(f"The model files of {sorted(changed)} were replaced during the run. Run it again.")
    table = tables.load(keys[0].table)
    drawn = split(table, keys[0].n, keys[0].split)
    return [_evaluate(key, _methods()[key.method], drawn) for key in keys]


def _evaluate(key: Key, method: Method, drawn: Split) -> SplitResult:
    """Time one method and measure its prediction; a failure is a result too."""
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on convergence, and on the smallest contexts
            prediction = method.predict(drawn)
        seconds = time.perf_counter() - start
        return SplitResult(key, method.task, measure(prediction, drawn), seconds)
    except Exception as error:  # noqa: BLE001 - anything that a model may raise
        return SplitResult(key, method.task, error=f"{type(error).__name__}: {error}")


@cache
def _methods() -> dict[str, Method]:
    return methods.methods()
