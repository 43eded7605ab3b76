"""Observations of, and predictions from, 1,000 contexts in batches over HTTP, compared with a request for each.

One server process on one core, a SQLite file that waits for the disk, model linear with 8 columns, contexts of 50
observations. A client on another core sends requests that were written before, over one connection for batches and over
8 for single requests; it sends the next one when it has its answer. Ways take turns; figures are medians of rounds.
Each row is one observation of, or one query to, a random context; items have one row each. Predictions come after
observations, so that the first from each context computes its readout.
"""

import asyncio
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any

import httpx
import numpy as np

from benchmarks.processes import cpu_seconds
from benchmarks.results import Goal, Result, Table, short_time
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.inference.checks import Limits
from service.inference.predictor import Observations, Predictor
from service.inference.tensors import pack
from service.ingest.columns import EntryColumns
from service.ingest.destination import Destination
from service.ingest.ingester import Ingester
from service.ingest.json_lines import JsonLines
from service.ingest.offsets import OffsetStore
from service.registry.repository import Repository
from service.settings import Settings
from service.store.database import Database
from tests.running import Server, running

CONTEXTS, COLUMNS, FIRST, ROUNDS, SINGLE = 1000, 8, 50, 5, 500
SIZES = (100, 1000, 10_000)
CLIENTS = 8
RATE, FACTOR = 20_000.0, 10.0
"""Observations a second, and times those of single requests."""
JSON, LINES, TENSORS = "application/json", "application/x-ndjson", "application/vnd.safetensors"
OBSERVATIONS, PREDICTIONS = PATHS = ("/v1/observations", "/v1/predictions")
SINGLES = "single requests"
GENERATOR = np.random.default_rng(0)


@dataclass(frozen=True)
class Way:
    """A form of the requests."""

    name: str
    rows: int
    """In one request."""
    write: Callable[[Sequence[str], np.ndarray], bytes]
    kind: str = JSON
    path: str = OBSERVATIONS

    @property
    def key(self) -> str:
        """Name and path."""
        return f"{self.path} {self.name}"


def run(*, quick: bool) -> Result:
    """Measure and report."""
    rates, costs = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    with running(GDSSM_MAX_CONTEXTS=str(2 * CONTEXTS)) as server:
        pin(server)
        ids = create(server)
        for _ in range(1 if quick else ROUNDS):
            for path in PATHS:
                for way in ways_of(path):
                    requests, begun = 2 if quick else max(3, 20_000 // way.rows), cpu_seconds(server.process.pid)
                    rates[way.key].append(batches(server, way, ids, requests))
                    costs[way.key].append((cpu_seconds(server.process.pid) - begun) / requests / way.rows)
                requests, begun = SINGLE // (10 if quick else 1), cpu_seconds(server.process.pid)
                rates[f"{path} {SINGLES}"].append(asyncio.run(singles(server, ids, requests, path)))
                costs[f"{path} {SINGLES}"].append((cpu_seconds(server.process.pid) - begun) / requests / CLIENTS)
    return report(*({key: median(values) for key, values in found.items()} for found in (rates, costs)))


def ways_of(path: str) -> Iterator[Way]:
    """Return the forms of requests, smaller ones first."""
    for size in SIZES:
        yield Way(f"columns of {size:,} rows, JSON", size, partial(columns, path=path), path=path)
        yield Way(f"columns of {size:,} rows, safetensors", size, partial(tensors, path=path), TENSORS, path)
        yield Way(f"{size:,} items, JSON", size, partial(items, path=path), path=path)
        yield Way(f"{size:,} items, lines of JSON", size, partial(lines, path=path), LINES, path)


def arrays(x: np.ndarray, path: str) -> dict[str, np.ndarray]:
    """Return the arrays of rows."""
    return {"query": x} if path == PREDICTIONS else {"x": x, "y": x.sum(1)}


def columns(ids: Sequence[str], x: np.ndarray, path: str) -> bytes:
    """Write columns as JSON."""
    return json.dumps(
        {"contexts": [*ids], **{name: array.tolist() for name, array in arrays(x, path).items()}}
    ).encode()


def tensors(ids: Sequence[str], x: np.ndarray, path: str) -> bytes:
    """Write columns as safetensors."""
    return pack(arrays(x, path), {"contexts": json.dumps([*ids])})


def items(ids: Sequence[str], x: np.ndarray, path: str) -> bytes:
    """Write items as JSON."""
    return json.dumps({"items": list(each(ids, x, path))}).encode()


def lines(ids: Sequence[str], x: np.ndarray, path: str) -> bytes:
    """Write items as lines."""
    return "\n".join(map(json.dumps, each(ids, x, path))).encode()


def each(ids: Sequence[str], x: np.ndarray, path: str) -> Iterator[dict[str, Any]]:
    """Return an item for each row."""
    parts = {name: array.tolist() for name, array in arrays(x, path).items()}
    for number, context in enumerate(ids):
        yield {"context": context, **{name: [part[number]] for name, part in parts.items()}}


def pin(server: Server) -> None:
    """Let the server have one core, and this process another one."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(server.process.pid, cores[-1:])
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[:-1])


def create(server: Server) -> list[str]:
    """Create contexts with their first observations; returns their ids."""
    names = [f"c{number}" for number in range(CONTEXTS)]
    ids: dict[str, str] = {}
    with httpx.Client(base_url=server.url, timeout=60) as client:
        for _ in range(FIRST // 10):
            x = GENERATOR.normal(size=(10 * CONTEXTS, COLUMNS))
            body = {"names": names * 10, "x": x.tolist(), "y": x.sum(1).tolist(), "create": {"model": "linear"}}
            answer = client.post("/v1/observations", json=body).json()
            assert answer["failed"] == 0, answer  # noqa: S101
            ids |= {result["name"]: result["context"] for result in answer["results"]}
    return [ids[name] for name in names]


def batches(server: Server, way: Way, ids: Sequence[str], requests: int) -> float:
    """Measure observations or predictions a second of batches."""
    bodies = []
    for _ in range(requests):
        chosen = [ids[i] for i in GENERATOR.permutation(np.arange(way.rows) % CONTEXTS).tolist()]
        bodies.append(way.write(chosen, GENERATOR.normal(size=(way.rows, COLUMNS))))
    headers = {"Content-Type": way.kind}
    with httpx.Client(base_url=server.url, timeout=60) as client:
        start = time.monotonic()
        for body in bodies:
            answer = client.post(way.path, content=body, headers=headers)
            assert answer.json()["failed"] == 0, answer.text[:1000]  # noqa: S101
        return requests * way.rows / (time.monotonic() - start)


async def singles(server: Server, ids: Sequence[str], requests: int, path: str) -> float:
    """Measure observations or predictions a second of single requests by several clients."""
    bodies = [
        [next(each(["-"], row[None], path)) for row in x] for x in GENERATOR.normal(size=(requests, CLIENTS, COLUMNS))
    ]
    chosen = GENERATOR.integers(0, len(ids), (requests, CLIENTS)).tolist()

    async def send(client: httpx.AsyncClient, number: int) -> None:
        for i in range(requests):
            body = {name: part for name, part in bodies[i][number].items() if name != "context"}
            address = path.replace("/v1", f"/v1/contexts/{ids[chosen[i][number]]}")
            (await client.post(address, json=body)).raise_for_status()

    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        start = time.monotonic()
        await asyncio.gather(*[send(client, number) for number in range(CLIENTS)])
        return requests * CLIENTS / (time.monotonic() - start)


def report(rates: Mapping[str, float], costs: Mapping[str, float]) -> Result:
    """Lay out observations and predictions a second, and the processor time of one, by path and way."""
    tables, goals = [], []
    for path in PATHS:
        what = path.rpartition("/")[2]
        own = {key.removeprefix(f"{path} "): rate for key, rate in rates.items() if key.startswith(path)}
        rows = [
            [name, f"{rate:,.0f}", f"{rate / own[SINGLES]:.1f}", short_time(costs[f"{path} {name}"])]
            for name, rate in own.items()
        ]
        header = ["", f"{what} a second", "÷ single requests", "server's processor time for one"]
        tables.append(Table(f"{what.capitalize()}, {CONTEXTS:,} contexts", header, rows))
        best = max(own, key=lambda name: own[name])
        factor = own[best] / own[SINGLES]
        if path == OBSERVATIONS:
            rate = own[best]
            goals.append(Goal(f"{what} a second, {best}", f"≥ {RATE:,.0f}", f"{rate:,.0f}", rate >= RATE))
        goals.append(Goal(f"{what} ÷ single requests, {best}", f"≥ {FACTOR:.0f}", f"{factor:.1f}", factor >= FACTOR))
    return Result(
        title="Batches",
        method=__doc__ or "",
        tables=tables,
        goals=goals,
        numbers={"a_second": dict(rates), "seconds": dict(costs)},
    )


INGEST = """Rows of a log learnt by many contexts with `gdssm ingest`, compared with one observation at a time.

A file of JSON lines with 5 features and 1,000 devices in random order, model linear, a SQLite file that waits for the
disk. The control observes each row by itself in the same process, without reading the file: one transaction for each
row. Both take turns; figures are medians of rounds."""
DEVICES, FEATURES, ROWS, SINGLE_ROWS = 1000, 5, 100_000, 2000
INGEST_BATCHES = (100, 1000, 10_000)
ONE_BY_ONE = "one by one"
INGEST_TARGET = 10.0
"""Times the rows a second of the control, at the best batch."""


def ingest(*, quick: bool) -> Result:
    """Measure and report."""
    rows, rounds = (2000, 1) if quick else (ROWS, ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.ndjson"
        write_rows(path, rows)
        repository = Repository.load_one([Settings().zoo], 1, "linear")
        ways: dict[str, Callable[[], float]] = {
            f"batches of {batch}": of_batch(path, repository, batch) for batch in INGEST_BATCHES
        }
        ways[ONE_BY_ONE] = lambda: observe_singly(Path(folder), repository, SINGLE_ROWS // (10 if quick else 1))
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, measure in ways.items():
                rates[name].append(measure())
    return ingest_report({name: median(found) for name, found in rates.items()}, rows)


def ingest_report(rates: Mapping[str, float], rows: int) -> Result:
    """Lay out rows a second by way."""
    factors = {name: rate / rates[ONE_BY_ONE] for name, rate in rates.items()}
    table = [[name, f"{rate:,.0f}", f"{factors[name]:.1f}"] for name, rate in rates.items()]
    best = max(factors.values())
    return Result(
        title="Rows of a log",
        method=INGEST,
        tables=[Table(f"{rows:,} rows, {DEVICES:,} contexts", ["", "rows a second", "÷ one by one"], table)],
        goals=[Goal("rows a second ÷ one by one", f"≥ {INGEST_TARGET:.0f}", f"{best:.1f}", best >= INGEST_TARGET)],
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
