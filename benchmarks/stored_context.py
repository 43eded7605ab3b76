"""Time of one observation into a stored context, and its size in bytes: `nonlinear` compared with `linear`.

A context of 10 columns that has seen 50 observations learns one more, over HTTP on one connection, in process, and
without a database; SQLite waits for the disk after each, as in production. The models take turns, call by call. Each
time is the least of all calls, followed by the ratio, and by the ratio of the medians of a round: its median, in
brackets its quartiles. Processor time is the server's, of all rounds together. The size of many contexts is that of a
SQLite file that stores them.
"""

import json
import socket
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.databases import FIRST, ONE, OWNER, YEAR, Filled
from benchmarks.models import predictor_of
from benchmarks.processes import cpu_seconds
from benchmarks.results import Goal, Result, Table
from benchmarks.serving.servers import Server, send, started
from benchmarks.serving.specs import OURS, payload
from benchmarks.timing import Quartiles, Times, format_quartiles, in_turn, ratios
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.inference.checks import UNLIMITED
from service.inference.predictor import Predictor
from service.states.context_state import new_state
from service.states.learning import learn
from service.store.database import Database

QUERIES = """A query to a context that the server stores, compared with a request that carries the context, over HTTP.

Payload L (1,000 observations of 32 inputs, 10 queries), one connection, requests in turn. Ratios are within a round:
their median, and in brackets their quartiles. The one-shot of payload S (10 observations of 10 inputs, one query) shows
the cost of HTTP alone."""
PAYLOAD = "L"
QUERIED_MODELS = ("gd-1", "linear")
QUERY_ROUNDS = 200
ONE_SHOT, STORED = "one-shot, JSON", "stored, JSON"
QUERY_TARGET = 1 / 3
"""Of the time of a one-shot request."""


def query_times(model: str, rounds: int = QUERY_ROUNDS) -> Times:
    """Send all requests in turn: seconds of each in every round."""
    with started(OURS, model) as server, server.connect() as connection:
        return in_turn(
            {name: partial(send, connection, request) for name, request in queries(server, connection).items()}, rounds
        )


def queries(server: Server, connection: socket.socket) -> dict[str, bytes]:
    """Create a context, and write the requests."""
    sent = payload(PAYLOAD)
    observations = {"x": sent.x.tolist(), "y": sent.y.tolist()}
    creating = server.post("/v1/contexts", {"model": server.model, "observations": observations})
    context = json.loads(send(connection, creating, status=201))["id"]
    return {
        ONE_SHOT: server.request("json", PAYLOAD),
        "one-shot, binary": server.request("binary", PAYLOAD),
        STORED: server.post(f"/v1/contexts/{context}/predictions", {"query": sent.query.tolist()}),
        "one-shot of S, JSON": server.request("json", "S"),  # last: it would warm the caches for the others
    }


def query(*, quick: bool) -> Result:
    """Measure and report."""
    times = {model: query_times(model, 3 if quick else QUERY_ROUNDS) for model in QUERIED_MODELS}
    found = {model: {name: ratios(of, name, ONE_SHOT) for name in of} for model, of in times.items()}
    medians = {model: {name: median(seconds) for name, seconds in of.items()} for model, of in times.items()}
    return query_report(medians, found)


def query_report(medians: Mapping[str, Mapping[str, float]], found: Mapping[str, Mapping[str, Quartiles]]) -> Result:
    """Lay out medians (seconds) and ratios to the control, by model and request."""
    names = list(next(iter(found.values())))
    rows = [[model, *map(format_quartiles, of.values())] for model, of in found.items()]
    goals = [
        Goal(f"{model}: {STORED} ÷ {ONE_SHOT}", "≤ 1/3", format_quartiles(of[STORED]), of[STORED][1] <= QUERY_TARGET)
        for model, of in found.items()
    ]
    return Result(
        title="Query to a stored context",
        method=QUERIES,
        tables=[Table("", [f"time of one answer ÷ {ONE_SHOT}", *names], rows)],
        goals=goals,
        numbers={"median_seconds": medians, "ratios": found},
    )


CONTROL, MODELS = "linear", ("linear", "nonlinear")
ROUNDS, CALLS = 30, 40
"""Rounds, and observations of each model in each round."""
CONTEXTS = 100_000
TARGET_RATIO, TARGET_BYTES = 2.0, 5e9
"""Beyond either, contexts are linear unless their model is named."""
OVER_HTTP = "over HTTP"


def over_http(rounds: int) -> tuple[Times, dict[str, float]]:
    """Time observations over HTTP; returns the seconds of each, and the processor seconds of one, by model."""
    with started(OURS, CONTROL) as server, server.connect() as connection:
        calls = {model: _observing(server, connection, model) for model in MODELS}
        spent = dict.fromkeys(MODELS, 0.0)
        for _ in range(rounds):
            for model, call in calls.items():
                before = cpu_seconds(server.process.pid)
                for _ in range(CALLS):
                    call()
                spent[model] += cpu_seconds(server.process.pid) - before
        times = in_turn(calls, rounds * CALLS)
        return times, {model: seconds / (rounds * CALLS) for model, seconds in spent.items()}


def in_process(rounds: int, *, stored: bool) -> Times:
    """Time observations without a server, and with or without a database."""
    with TemporaryDirectory() as directory, closing(Database.open(f"sqlite:///{directory}/stored.db")) as database:
        predictor = predictor_of(CONTROL)
        contexts = ContextService(database, predictor, max_contexts=2**31, ttl=YEAR)
        make = partial(_storing, contexts) if stored else partial(_learning, predictor)
        return in_turn({model: make(model) for model in MODELS}, rounds * CALLS)


def size(model: str, count: int) -> tuple[int, int]:
    """Return the bytes of an exported context of a model, and of a database with so many contexts."""
    predictor = predictor_of(model)
    with TemporaryDirectory() as directory:
        path = Path(directory) / "filled.db"
        with closing(Filled(f"sqlite:///{path}", predictor, model, count)) as filled:
            exported = len(filled.contexts.export(OWNER, filled.ids[0])[0])
        return exported, path.stat().st_size


def _observing(server: Server, connection: socket.socket, model: str) -> Callable[[], object]:
    first = {"x": FIRST.x.tolist(), "y": FIRST.y.tolist()}
    made = send(connection, server.post("/v1/contexts", {"model": model, "observations": first}), status=201)
    path = f"/v1/contexts/{json.loads(made)['id']}/observations"
    return partial(send, connection, server.post(path, {"x": ONE.x.tolist(), "y": ONE.y.tolist()}))


def _storing(contexts: ContextService, model: str) -> Callable[[], object]:
    return partial(contexts.observe, OWNER, contexts.create(OWNER, ContextSpec(model), FIRST).id, ONE)


def _learning(predictor: Predictor, model: str) -> Callable[[], object]:
    runtime = predictor.runtime(model)
    memory = learn(runtime, UNLIMITED, new_state(runtime.manifest, None), FIRST)
    return partial(learn, runtime, UNLIMITED, memory, ONE)


def run(*, quick: bool) -> Result:
    """Measure and report."""
    return measure(2, 3) if quick else measure()


def measure(rounds: int = ROUNDS, count: int = CONTEXTS) -> Result:
    """Measure some rounds, and a database of some contexts."""
    http, processor = over_http(rounds)
    times = {
        OVER_HTTP: http,
        "in process": in_process(rounds, stored=True),
        "in process, without a database": in_process(rounds, stored=False),
    }
    least = {way: {model: min(seconds) for model, seconds in of.items()} for way, of in times.items()}
    within_rounds = {way: _within_rounds(of) for way, of in times.items()}
    return report(least, within_rounds, processor, {model: size(model, count) for model in MODELS}, count)


def report(
    least: Mapping[str, Mapping[str, float]],
    within_rounds: Mapping[str, Quartiles],
    processor: Mapping[str, float],
    sizes: Mapping[str, tuple[int, int]],
    count: int,
) -> Result:
    """Lay out the measurements.

    Args:
        least: Seconds by way and model.
        within_rounds: Ratios by way.
        processor: Seconds by model.
        sizes: Bytes of one context and of the database, by model.
        count: Contexts in the database.
    """
    rows = [[*_row(way, of), format_quartiles(within_rounds[way])] for way, of in least.items()]
    rows.append([*_row("over HTTP, processor time", processor), ""])
    bytes_rows = [[model, f"{one:,}", f"{many / 1e9:.2f} GB"] for model, (one, many) in sizes.items()]
    ratio, file = _ratio(least[OVER_HTTP]), sizes["nonlinear"][1]
    target = f"≤ {TARGET_BYTES / 1e9:g} GB"
    return Result(
        title="Observation into a stored context",
        method=__doc__ or "",
        tables=[
            Table("", ["one observation", *MODELS, "ratio", "ratio within a round"], rows),
            Table("", ["model", "bytes of an exported context", f"{count:,} in SQLite"], bytes_rows),
        ],
        goals=[
            Goal("observation: nonlinear ÷ linear", f"≤ {TARGET_RATIO:g}", f"{ratio:.2f}", ratio <= TARGET_RATIO),
            Goal(f"{count:,} contexts of nonlinear", target, f"{file / 1e9:.2f} GB", file <= TARGET_BYTES),
        ],
        numbers={"seconds": least, "ratios": within_rounds, "processor_seconds": processor, "bytes": sizes},
    )


def _within_rounds(times: Times) -> Quartiles:
    medians = {
        model: [median(seconds[start : start + CALLS]) for start in range(0, len(seconds), CALLS)]
        for model, seconds in times.items()
    }
    return ratios(medians, "nonlinear", CONTROL)


def _ratio(seconds: Mapping[str, float]) -> float:
    return seconds["nonlinear"] / seconds[CONTROL]


def _row(way: str, seconds: Mapping[str, float]) -> list[str]:
    return [way, *(f"{seconds[model] * 1e6:.0f} µs" for model in MODELS), f"{_ratio(seconds):.2f}"]
