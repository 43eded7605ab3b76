"""Observations into one context by 16 clients, and predictions that allow an age, compared with the version before.

A context of `linear` with 10 columns learns one row a request, over HTTP, by wrk. The control is the last version whose
requests were not combined, of the same machine and run: its sources are unpacked from the history. Services take turns,
run by run; rates are medians of the rounds, and ratios those of the medians. Databases wait for the disk after each
transaction, as in production. Two replicas share one PostgreSQL database, and half of the clients use each. The load,
the database and the services share the cores of the machine, so that the second replica has a core for itself only
where there are 4.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

import numpy as np

from benchmarks.databases import database, postgres
from benchmarks.results import Goal, Result, Table, short, short_time
from benchmarks.serving.servers import wrk
from tests.running import ROOT, Server, running

COMMIT_BEFORE = "bdd4c3d"
"""The commit before: each observation is a transaction, in a thread."""


@dataclass(frozen=True)
class Load:
    """The figures of one run."""

    rate: float
    """Answers per second."""
    p50: float
    """Seconds."""
    p99: float


@contextmanager
def sources_before() -> Iterator[Path | None]:
    """Unpack the sources of COMMIT_BEFORE; None where there is no history."""
    git = shutil.which("git")
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / "before.tar"
        command = [git or "git", "-C", str(ROOT), "archive", "--output", str(archive), COMMIT_BEFORE]
        if git is None or subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603
            yield None
            return
        shutil.unpack_archive(archive, directory, filter="data")
        yield Path(directory)


def post(server: Server, path: str, body: object, headers: dict[str, str] | None = None) -> dict[str, object]:
    """Send one request; returns its JSON."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    request = Request(server.url + path, json.dumps(body).encode(), sent, method="POST")  # noqa: S310  (loopback)
    with urlopen(request, timeout=60) as answer:  # noqa: S310
        found: dict[str, object] = json.loads(answer.read())
        return found


def loaded(targets: list[tuple[str, int]], body: object, seconds: float, headers: Mapping[str, str]) -> Load:
    """Send one body as JSON again and again for a while to addresses, with so many connections to each."""
    reports = wrk(targets, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}, seconds)
    wrong = sum(report["refused"] + report["broken"] for report in reports)
    assert not wrong, f"{wrong:g} requests failed"  # noqa: S101
    rate = sum(report["requests"] / report["seconds"] for report in reports)
    return Load(rate, max(report["p50"] for report in reports), max(report["p99"] for report in reports))


CLIENTS, CONTEXTS, COLUMNS, SHARDS = 16, 16, 10, 4
ROUNDS, SECONDS = 5, 2.0
CORES_FOR_TWO = 4
"""Two services, the database and the load."""
NOW, BEFORE = "combined", "before"
AGE = {"Cache-Control": "max-age=60"}
SEEN_WITHIN = 0.1
"""Seconds."""
GENERATOR = np.random.default_rng(0)
FIRST = {"x": GENERATOR.normal(size=(50, COLUMNS)).tolist(), "y": GENERATOR.normal(size=50).tolist()}
ONE = {"x": GENERATOR.normal(size=(1, COLUMNS)).tolist(), "y": [0.5]}
QUERY = {"query": GENERATOR.normal(size=(1, COLUMNS)).tolist()}


@dataclass(frozen=True)
class Case:
    """A load on some services."""

    servers: tuple[Server, ...]
    contexts: tuple[str, ...]
    clients: int
    what: str = "observations"
    headers: Mapping[str, str] = field(default_factory=dict)

    def run(self, seconds: float) -> Load:
        """Load the services for a while; each context is used at one of them, or a single one at all."""
        pairs = [(server, self.contexts[0]) for server in self.servers]
        if len(self.contexts) > 1:
            pairs = [(self.servers[i % len(self.servers)], context) for i, context in enumerate(self.contexts)]
        targets = [
            (f"{server.url}/v1/contexts/{name}/{self.what}", self.clients // len(pairs)) for server, name in pairs
        ]
        return loaded(targets, ONE if self.what == "observations" else QUERY, seconds, self.headers)


def run(*, quick: bool) -> Result:
    """Measure and report."""
    return measure(1, 0.3, 3) if quick else measure()


def measure(rounds: int = ROUNDS, seconds: float = SECONDS, changes: int = 50) -> Result:
    """Measure some rounds, and how long some changes take to be seen at another replica."""
    with prepared() as (cases, replicas):
        loads: dict[str, list[Load]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, case in cases.items():
                loads[name].append(case.run(seconds))
        delays = [_seen_after(*replicas) for _ in range(changes)] if replicas else []
    return report(loads, delays, os.cpu_count() or 1)


@contextmanager
def prepared() -> Iterator[tuple[dict[str, Case], tuple[Server, Server] | None]]:
    """Start the services of all cases, each database with its own; the two replicas of PostgreSQL, if it is there."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sources = {NOW: ROOT, BEFORE: stack.enter_context(sources_before())}
        versions = {version: path for version, path in sources.items() if path is not None}
        server = stack.enter_context(postgres())
        cases: dict[str, Case] = {}
        for version, path in versions.items():
            one = stack.enter_context(
                running(path, PYTHONPATH=str(path), GDSSM_DATABASE_URL=f"sqlite:///{directory}/{version}.db")
            )
            cases |= _of_one("SQLite", version, one)
        if server is None:
            yield cases, None
            return
        for version, path in versions.items():
            url = database(server, version)
            pair = tuple(
                stack.enter_context(running(path, PYTHONPATH=str(path), GDSSM_DATABASE_URL=url)) for _ in range(2)
            )
            cases |= _of_one("PostgreSQL", version, pair[0]) | _of_two(version, pair)
        one, other = cases[f"PostgreSQL, two replicas, hot, {NOW}"].servers
        yield cases, (one, other)


def _of_one(kind: str, version: str, server: Server) -> dict[str, Case]:
    (context,) = _contexts(server, 1)
    found = {f"{kind}, {clients}, {version}": Case((server,), (context,), clients) for clients in (1, CLIENTS)}
    if version == NOW:
        found |= {
            f"{kind}, predictions": Case((server,), (context,), CLIENTS, "predictions"),
            f"{kind}, predictions, max-age": Case((server,), (context,), CLIENTS, "predictions", AGE),
        }
    return found


def _of_two(version: str, pair: tuple[Server, ...]) -> dict[str, Case]:
    many = _contexts(pair[0], CONTEXTS)
    found = {
        f"PostgreSQL, two replicas, hot, {version}": Case(pair, many[:1], CLIENTS),
        f"PostgreSQL, one replica, many, {version}": Case(pair[:1], many, CLIENTS),
        f"PostgreSQL, two replicas, many, {version}": Case(pair, many, CLIENTS),
    }
    if version == NOW:
        sharded = _contexts(pair[0], 1, shards=SHARDS)
        found |= {
            "PostgreSQL, one replica, shards": Case(pair[:1], sharded, CLIENTS),
            "PostgreSQL, two replicas, shards": Case(pair, sharded, CLIENTS),
        }
    return found


def _contexts(server: Server, count: int, **options: object) -> tuple[str, ...]:
    body = {"model": "linear", "observations": FIRST, **options}
    made = (post(server, "/v1/contexts", body) for _ in range(count))
    return tuple(str(context["id"]) for context in made)


def _seen_after(one: Server, other: Server) -> float:
    """Change a context at one replica; returns the seconds until predictions of an age at the other show it."""
    path = f"/v1/contexts/{_contexts(one, 1)[0]}"
    post(other, f"{path}/predictions", QUERY, AGE)
    version = post(one, f"{path}/observations", ONE)["version"]
    begun = time.perf_counter()
    while post(other, f"{path}/predictions", QUERY, AGE)["version"] != version:
        if time.perf_counter() - begun > 10 * SEEN_WITHIN:
            break
    return time.perf_counter() - begun


def report(loads: Mapping[str, list[Load]], delays: list[float], cores: int) -> Result:
    """Lay out the measurements.

    Args:
        loads: Rounds by case.
        delays: Seconds until a change is seen at another replica.
        cores: Of the machine.
    """
    rates = {name: median(load.rate for load in of) for name, of in loads.items()}
    rows = [
        [
            name,
            short(rates[name]),
            short_time(median(load.p50 for load in of)),
            short_time(median(load.p99 for load in of)),
        ]
        for name, of in loads.items()
    ]
    return Result(
        title="Hot contexts and replicas",
        method=__doc__ or "",
        tables=[Table("", ["case", "answers/s", "median", "99th percentile"], rows)],
        goals=[*_observed(rates), *_replicas(rates, cores), *_predicted(rates, delays)],
        numbers={
            "rates": {name: [load.rate for load in of] for name, of in loads.items()},
            "seconds until seen": delays,
        },
    )


def _observed(rates: Mapping[str, float]) -> list[Goal]:
    goals = []
    for kind in ("SQLite", "PostgreSQL"):
        for clients, target in ((CLIENTS, 3.0), (1, 0.95)):
            case = f"{kind}, {clients}"
            goals.append(
                _ratio(rates, f"{case}, {NOW}", f"{case}, {BEFORE}", target, f"{case} clients on a context ÷ before")
            )
    return goals


def _replicas(rates: Mapping[str, float], cores: int) -> list[Goal]:
    hot, many = f"PostgreSQL, two replicas, hot, {NOW}", f"PostgreSQL, two replicas, many, {NOW}"
    one, one_many = f"PostgreSQL, {CLIENTS}, {NOW}", f"PostgreSQL, one replica, many, {NOW}"
    goals = [_ratio(rates, hot, one, 0.95, "two replicas ÷ one, one context")]
    shards = [f"PostgreSQL, {replicas}, shards" for replicas in ("two replicas", "one replica")]
    scaled = [
        _ratio(rates, many, one_many, 1.6, f"two replicas ÷ one, {CONTEXTS} contexts"),
        _ratio(rates, shards[0], shards[1], 1.6, f"two replicas ÷ one, a context of {SHARDS} shards"),
    ]
    if cores < CORES_FOR_TWO:
        scaled = [Goal(goal.measure, goal.target, f"{goal.result} on {cores} cores", None) for goal in scaled]
    return [*goals, *scaled]


def _predicted(rates: Mapping[str, float], delays: list[float]) -> list[Goal]:
    age, plain = "PostgreSQL, predictions, max-age", "PostgreSQL, predictions"
    seen = median(delays) if delays else None
    return [
        _ratio(rates, age, plain, 2.0, "predictions with max-age ÷ without"),
        Goal(
            "a change is seen at another replica, median",
            f"≤ {short_time(SEEN_WITHIN)}",
            "" if seen is None else short_time(seen),
            None if seen is None else seen <= SEEN_WITHIN,
        ),
    ]


def _ratio(rates: Mapping[str, float], name: str, control: str, target: float, measure_: str) -> Goal:
    if name not in rates or control not in rates:
        return Goal(measure_, f"≥ {target:g}", "", None)
    ratio = rates[name] / rates[control]
    return Goal(measure_, f"≥ {target:g}", f"{ratio:.2f}", ratio >= target)
