"""A query to a context that the server stores, compared with a request that carries the context, over HTTP.

Payload L (1,000 observations of 32 inputs, 10 queries), one connection, requests in turn. Ratios are within a round:
their median, and in brackets their quartiles. The one-shot of payload S (10 observations of 10 inputs, one query) shows
the cost of HTTP alone.
"""

import json
import socket
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from statistics import median

from benchmarks.results import Goal, Result, Table
from benchmarks.serving.servers import Server, send, started
from benchmarks.serving.specs import OURS, payload
from benchmarks.timing import Quartiles, Times, format_quartiles, in_turn, ratios

PAYLOAD = "L"
MODELS = ("gd-1", "linear")
ROUNDS = 200
CONTROL, STORED = "one-shot, JSON", "stored, JSON"
TARGET = 1 / 3
"""Of the time of a one-shot request."""


def measure(model: str, rounds: int = ROUNDS) -> Times:
    """Send all requests in turn: seconds of each in every round."""
    with started(OURS, model) as server, server.connect() as connection:
        return in_turn(
            {name: partial(send, connection, request) for name, request in requests(server, connection).items()}, rounds
        )


def requests(server: Server, connection: socket.socket) -> dict[str, bytes]:
    """Create a context, and write the requests."""
    sent = payload(PAYLOAD)
    observations = {"x": sent.x.tolist(), "y": sent.y.tolist()}
    creating = post(server, "/v1/contexts", {"model": server.model, "observations": observations})
    context = json.loads(send(connection, creating, status=201))["id"]
    return {
        CONTROL: server.request("json", PAYLOAD),
        "one-shot, binary": server.request("binary", PAYLOAD),
        STORED: post(server, f"/v1/contexts/{context}/predictions", {"query": sent.query.tolist()}),
        "one-shot of S, JSON": server.request("json", "S"),  # last: it would warm the caches for the others
    }


def post(server: Server, path: str, value: object) -> bytes:
    """Write a request with a value as its JSON body."""
    form = replace(server.spec.forms["json"], path=path, write=lambda *_: json.dumps(value).encode())
    spec = replace(server.spec, forms={"json": form})
    return replace(server, spec=spec).request("json", PAYLOAD)


def run(*, quick: bool) -> Result:
    """Measure and report."""
    times = {model: measure(model, 3 if quick else ROUNDS) for model in MODELS}
    found = {model: {name: ratios(of, name, CONTROL) for name in of} for model, of in times.items()}
    medians = {model: {name: median(seconds) for name, seconds in of.items()} for model, of in times.items()}
    return report(medians, found)


def report(medians: Mapping[str, Mapping[str, float]], found: Mapping[str, Mapping[str, Quartiles]]) -> Result:
    """Lay out medians (seconds) and ratios to the control, by model and request."""
    names = list(next(iter(found.values())))
    rows = [[model, *map(format_quartiles, of.values())] for model, of in found.items()]
    goals = [
        Goal(f"{model}: {STORED} ÷ {CONTROL}", "≤ 1/3", format_quartiles(of[STORED]), of[STORED][1] <= TARGET)
        for model, of in found.items()
    ]
    return Result(
        title="Query to a stored context",
        method=__doc__ or "",
        tables=[Table("", [f"time of one answer ÷ {CONTROL}", *names], rows)],
        goals=goals,
        numbers={"median_seconds": medians, "ratios": found},
    )
