"""Observations of 1,000 contexts in batches over HTTP, compared with a request for each observation.

One server process on one core, a SQLite file that waits for the disk, model linear with 8 columns, contexts of 50
observations. A client on another core sends requests that were written before, over one connection for batches and over
8 for single observations; it sends the next one when it has its answer. Ways take turns; figures are medians of rounds.
Each row is one observation of a random context; items have one row each.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
SINGLES = "single requests"
HEADER = ["", "observations a second", "÷ single requests", "server's processor time for one"]
GENERATOR = np.random.default_rng(0)


@dataclass(frozen=True)
class Way:
    """A form of the requests."""

    name: str
    rows: int
    """In one request."""
    write: Callable[[Sequence[str], np.ndarray], bytes]
    kind: str = JSON
    path: str = "/v1/observations"


def run(*, quick: bool) -> Result:
    """Measure and report."""
    ways = [way for size in SIZES for way in ways_of(size)]
    names = [*(way.name for way in ways), SINGLES]
    rates: dict[str, list[float]] = {name: [] for name in names}
    costs: dict[str, list[float]] = {name: [] for name in names}
    with running(GDSSM_MAX_CONTEXTS=str(2 * CONTEXTS)) as server:
        pin(server)
        ids = create(server)
        for _ in range(1 if quick else ROUNDS):
            for way in ways:
                requests = 2 if quick else max(3, 20_000 // way.rows)
                begun = processor_time(server)
                rates[way.name].append(batches(server, way, ids, requests))
                costs[way.name].append((processor_time(server) - begun) / requests / way.rows)
            requests, begun = SINGLE // (10 if quick else 1), processor_time(server)
            rates[SINGLES].append(asyncio.run(singles(server, ids, requests)))
            costs[SINGLES].append((processor_time(server) - begun) / requests / CLIENTS)
    return report({name: median(rates[name]) for name in names}, {name: median(costs[name]) for name in names})


def ways_of(size: int) -> Iterator[Way]:
    """Return the forms of requests of one size."""
    yield Way(f"columns of {size:,} rows, JSON", size, columns)
    yield Way(f"columns of {size:,} rows, safetensors", size, tensors, TENSORS)
    yield Way(f"{size:,} items, JSON", size, items)
    yield Way(f"{size:,} items, lines of JSON", size, lines, LINES)


def columns(ids: Sequence[str], x: np.ndarray) -> bytes:
    """Write columns as JSON."""
    return json.dumps({"contexts": [*ids], "x": x.tolist(), "y": x.sum(1).tolist()}).encode()


def tensors(ids: Sequence[str], x: np.ndarray) -> bytes:
    """Write columns as safetensors."""
    return pack({"x": x, "y": x.sum(1)}, {"contexts": json.dumps([*ids])})


def items(ids: Sequence[str], x: np.ndarray) -> bytes:
    """Write items as JSON."""
    return json.dumps({"items": list(each(ids, x))}).encode()


def lines(ids: Sequence[str], x: np.ndarray) -> bytes:
    """Write items as lines."""
    return "\n".join(map(json.dumps, each(ids, x))).encode()


def each(ids: Sequence[str], x: np.ndarray) -> Iterator[dict[str, Any]]:
    """Return an item for each row."""
    for context, row in zip(ids, x.tolist(), strict=True):
        yield {"context": context, "x": [row], "y": [sum(row)]}


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
    """Measure observations a second of batches."""
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


async def singles(server: Server, ids: Sequence[str], requests: int) -> float:
    """Measure observations a second of single requests by several clients."""
    rows = GENERATOR.normal(size=(requests, CLIENTS, COLUMNS)).tolist()
    chosen = GENERATOR.integers(0, len(ids), (requests, CLIENTS)).tolist()

    async def send(client: httpx.AsyncClient, number: int) -> None:
        for i in range(requests):
            row = rows[i][number]
            address = f"/v1/contexts/{ids[chosen[i][number]]}/observations"
            (await client.post(address, json={"x": [row], "y": [sum(row)]})).raise_for_status()

    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        start = time.monotonic()
        await asyncio.gather(*[send(client, number) for number in range(CLIENTS)])
        return requests * CLIENTS / (time.monotonic() - start)


def report(rates: dict[str, float], costs: dict[str, float]) -> Result:
    """Lay out observations a second, and the processor time of one, by way."""
    rows = [
        [name, f"{rate:,.0f}", f"{rate / rates[SINGLES]:.1f}", short_time(costs[name])] for name, rate in rates.items()
    ]
    best = max(rates, key=lambda name: rates[name])
    factor = rates[best] / rates[SINGLES]
    return Result(
        title="Batches",
        method=__doc__ or "",
        tables=[Table(f"{CONTEXTS:,} contexts", HEADER, rows)],
        goals=[
            Goal(f"observations a second, {best}", f"≥ {RATE:,.0f}", f"{rates[best]:,.0f}", rates[best] >= RATE),
            Goal(f"÷ single requests, {best}", f"≥ {FACTOR:.0f}", f"{factor:.1f}", factor >= FACTOR),
        ],
        numbers={"observations_a_second": rates, "seconds": costs},
    )
