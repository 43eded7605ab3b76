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
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np

from benchmarks.results import Goal, Result, Table, short_time
from service.inference.tensors import pack
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
                    requests, begun = 2 if quick else max(3, 20_000 // way.rows), processor_time(server)
                    rates[way.key].append(batches(server, way, ids, requests))
                    costs[way.key].append((processor_time(server) - begun) / requests / way.rows)
                requests, begun = SINGLE // (10 if quick else 1), processor_time(server)
                rates[f"{path} {SINGLES}"].append(asyncio.run(singles(server, ids, requests, path)))
                costs[f"{path} {SINGLES}"].append((processor_time(server) - begun) / requests / CLIENTS)
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


def processor_time(server: Server) -> float:
    """Return the seconds of processor time of a server so far."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
