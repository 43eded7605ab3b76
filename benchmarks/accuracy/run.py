"""Run contestants on the splits of tables in worker processes of one thread each."""

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

from benchmarks.accuracy import contestants, records, splits, tables
from benchmarks.accuracy.contestants import Contestant
from benchmarks.accuracy.measures import measure
from benchmarks.accuracy.records import Key, Record

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Plan:
    """What to run: every split of every case, a case being a table with a size of context."""

    tables: Sequence[str]
    contestants: Sequence[str] | None = None
    """None: all."""
    sizes: Sequence[int] = splits.SIZES
    splits: int = splits.SPLITS

    def keys(self) -> list[Key]:
        """List the results wanted: the first split of all cases, then the second, and so on."""
        chosen = contestants.contestants(self.contestants).values()
        return [
            Key(table.name, n, index, contestant.name, contestant.version)
            for index in range(self.splits)
            for n in self.sizes
            for table in map(tables.load, self.tables)
            if splits.fits(table, n)
            for contestant in chosen
            if contestant.task == table.task and n <= contestant.max_n
        ]


def run(plan: Plan, path: Path, processes: int) -> None:
    """Run what is missing in a file of records, and append it there as it comes."""
    records.prepare(path)
    missing = without(plan.keys(), records.read(path))
    os.environ.update(dict.fromkeys(THREAD_LIMITS, "1"))  # numpy reads them when a worker imports it
    with (
        get_context("spawn").Pool(processes) as pool,
        tqdm(total=len(missing), unit="result", smoothing=0) as bar,
    ):
        for found in pool.imap_unordered(evaluate, list(by_split(missing))):
            records.append(path, found)
            bar.update(len(found))


def without(wanted: Sequence[Key], found: Collection[Key]) -> list[Key]:
    """Return the keys that are wanted and not found, in order."""
    return [key for key in wanted if key not in found]


def by_split(keys: Sequence[Key]) -> Iterator[list[Key]]:
    """Group consecutive keys of the same split of the same case."""
    for _, group in groupby(keys, key=lambda key: key[:3]):
        yield list(group)


def evaluate(keys: Sequence[Key]) -> list[Record]:
    """Run contestants on one split of one case.

    Raises:
        ValueError: A model file was replaced after the run began; run again.
    """
    if changed := {key.contestant for key in keys if _contestants()[key.contestant].version != key.version}:
        raise ValueError(f"The model files of {sorted(changed)} were replaced during the run. Run it again.")
    table = tables.load(keys[0].table)
    drawn = splits.split(table, keys[0].n, keys[0].split)
    return [_evaluate(key, _contestants()[key.contestant], drawn) for key in keys]


def _evaluate(key: Key, contestant: Contestant, drawn: splits.Split) -> Record:
    """Time one contestant and measure its prediction; a failure is a result, too."""
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on convergence, and on the smallest contexts
            prediction = contestant.predict(drawn)
        seconds = time.perf_counter() - start
        return Record(key, contestant.task, measure(prediction, drawn), seconds)
    except Exception as error:  # noqa: BLE001 - anything that a model may raise
        return Record(key, contestant.task, error=f"{type(error).__name__}: {error}")


@cache
def _contestants() -> dict[str, Contestant]:
    return contestants.contestants()
