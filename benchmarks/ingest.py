"""Rows of a log learnt by many contexts with `gdssm ingest`, compared with one observation at a time.

A file of JSON lines with 5 features and 1,000 devices in random order, model linear, a SQLite file that waits for the
disk. The control observes each row by itself in the same process, without reading the file: one transaction for each
row. Both take turns; figures are medians of rounds.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from threading import Event

import numpy as np

from benchmarks.results import Goal, Result, Table
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.inference.checks import Limits
from service.inference.predictor import Observations, Predictor
from service.ingest.columns import EntryColumns
from service.ingest.destination import Destination
from service.ingest.ingester import Ingester
from service.ingest.json_lines import JsonLines
from service.ingest.offsets import OffsetStore
from service.registry.repository import Repository
from service.settings import Settings
from service.store.database import Database

DEVICES, FEATURES, ROWS, SINGLE_ROWS, ROUNDS = 1000, 5, 100_000, 2000, 5
BATCHES = (100, 1000, 10_000)
CONTROL = "one by one"
TARGET = 10.0
"""Times the rows a second of the control, at the best batch."""


def run(*, quick: bool) -> Result:
    """Measure and report."""
    rows, rounds = (2000, 1) if quick else (ROWS, ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.ndjson"
        write_rows(path, rows)
        repository = Repository.load_one([Settings().zoo], 1, "linear")
        ways: dict[str, Callable[[], float]] = {
            f"batches of {batch}": of_batch(path, repository, batch) for batch in BATCHES
        }
        ways[CONTROL] = lambda: observe_singly(Path(folder), repository, SINGLE_ROWS // (10 if quick else 1))
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, measure in ways.items():
                rates[name].append(measure())
    return report({name: median(found) for name, found in rates.items()}, rows)


def report(rates: Mapping[str, float], rows: int) -> Result:
    """Lay out rows a second by way."""
    factors = {name: rate / rates[CONTROL] for name, rate in rates.items()}
    table = [[name, f"{rate:,.0f}", f"{factors[name]:.1f}"] for name, rate in rates.items()]
    best = max(factors.values())
    return Result(
        title="Rows of a log",
        method=__doc__ or "",
        tables=[Table(f"{rows:,} rows, {DEVICES:,} contexts", ["", "rows a second", "÷ one by one"], table)],
        goals=[Goal("rows a second ÷ one by one", f"≥ {TARGET:.0f}", f"{best:.1f}", best >= TARGET)],
        numbers={"rows_a_second": dict(rates)},
    )


def write_rows(path: Path, rows: int) -> None:
    """Write rows of random devices."""
    generator = np.random.default_rng(0)
    x, devices = generator.normal(size=(rows, FEATURES)), generator.integers(DEVICES, size=rows)
    y = x.sum(1) + generator.normal(size=rows)
    with path.open("w", encoding="utf-8") as file:
        for device, features, target in zip(devices.tolist(), x.tolist(), y.tolist(), strict=True):
            row = {"device": f"d{device}", **{f"x{i}": value for i, value in enumerate(features)}, "y": target}
            file.write(json.dumps(row) + "\n")


def of_batch(path: Path, repository: Repository, batch: int) -> Callable[[], float]:
    """Return what measures the rows a second of batches of one size; contexts are created before."""

    def measure() -> float:
        columns, source = EntryColumns("device", "y"), JsonLines(path)
        schema = columns.schema(source.read(None, 1))
        if schema is None:
            raise ValueError(path)
        with _contexts(path.parent, repository) as (database, contexts, predictor):
            destination = Destination(contexts, predictor, "", ContextSpec("linear"))
            with database.transaction() as connection:
                destination.create(connection, schema, [f"d{device}" for device in range(DEVICES)])
            offsets = OffsetStore("", "benchmark", time.time)
            one = Ingester(database, [source], offsets, columns, destination, batch=batch, from_start=True)
            progress = one.run(Event(), stop_at_end=True)
            return progress.learnt / progress.seconds

    return measure


def observe_singly(folder: Path, repository: Repository, rows: int) -> float:
    """Measure the rows a second of single observations."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, 1, FEATURES))
    with _contexts(folder, repository) as (_, contexts, _predictor):
        ids = [contexts.create("", ContextSpec("linear")).id for _ in range(DEVICES)]
        start = time.monotonic()
        for row, device in zip(x, generator.integers(DEVICES, size=rows).tolist(), strict=True):
            contexts.observe("", ids[device], Observations(row, row.sum(1)))
        return rows / (time.monotonic() - start)


@contextmanager
def _contexts(folder: Path, repository: Repository) -> Iterator[tuple[Database, ContextService, Predictor]]:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        database = Database.open(f"sqlite:///{own}/gdssm.db")
        predictor = Predictor(repository, "linear", Limits(1024, 1_000_000, 1_000_000))
        yield database, ContextService(database, predictor, 2 * DEVICES, 86_400), predictor
        database.close()
