"""What a query costs from a context that the server holds, beside one that brings its context with it, over HTTP.

Payload L (1,000 observations of 32 inputs, 10 queries), one connection, in turn. What counts is the ratio within a
round: its median, and in brackets its quartiles. The one-shot of payload S (10 observations of 10 inputs, one query) is
there to show what HTTP costs by itself.
"""

import json
import socket
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.ratios import Quartiles, Times, ratios, told
from benchmarks.results import parse_out, write
from benchmarks.serving.contestants import OURS
from benchmarks.serving.payloads import payload
from benchmarks.serving.servers import Server, send, started
from benchmarks.table import markdown, verdict

PAYLOAD = "L"
MODELS = ("gd-1", "linear")
REPEATS = 200
CONTROL, HELD = "one-shot, JSON", "held, JSON"
GOAL = 1 / 3
"""Of the one-shot's time, at most."""


def measure(model: str, repeats: int = REPEATS) -> Times:
    """Ask all in turn, again and again: seconds of each in every round."""
    with started(OURS, model) as server, server.connect() as connection:
        asked = requests(server, connection)
        times: Times = {name: [] for name in asked}
        for _ in range(repeats):
            for name, request in asked.items():
                start = time.perf_counter()
                send(connection, request)
                times[name].append(time.perf_counter() - start)
    return times


def requests(server: Server, connection: socket.socket) -> dict[str, bytes]:
    """Write what is asked, and make the context that one of them asks."""
    sent = payload(PAYLOAD)
    observations = {"x": sent.x.tolist(), "y": sent.y.tolist()}
    creating = post(server, "/v1/contexts", {"model": server.model, "observations": observations})
    context = json.loads(send(connection, creating, status=201))["id"]
    return {
        CONTROL: server.request("json", PAYLOAD),
        "one-shot, binary": server.request("binary", PAYLOAD),
        HELD: post(server, f"/v1/contexts/{context}/predictions", {"query": sent.query.tolist()}),
        "one-shot of S, JSON": server.request("json", "S"),  # last: it would warm the caches for what counts
    }


def post(server: Server, path: str, value: object) -> bytes:
    """Write a request with a value as its JSON body."""
    form = replace(server.contestant.forms["json"], path=path, write=lambda *_: json.dumps(value).encode())
    contestant = replace(server.contestant, forms={"json": form})
    return replace(server, contestant=contestant).request("json", PAYLOAD)


def section(found: dict[str, dict[str, Quartiles]]) -> str:
    """Tell it as tables."""
    names = list(next(iter(found.values())))
    rows = [[model, *map(told, of.values())] for model, of in found.items()]
    goals = [
        [f"held, of the {CONTROL}, at most a third", model, told(of[HELD]), verdict(of[HELD][1] <= GOAL)]
        for model, of in found.items()
    ]
    return "\n".join(
        [
            f"## A context that is held\n\n{__doc__}",
            markdown([f"time of one answer, of the {CONTROL}", *names], rows),
            markdown(["goal", "model", "measured", ""], goals),
        ]
    )


def main(out: Path, repeats: int = REPEATS) -> None:
    """Measure, and leave the results."""
    times = {model: measure(model, repeats) for model in MODELS}
    found = {model: {name: ratios(of, name, CONTROL) for name in of} for model, of in times.items()}
    medians = {model: {name: median(seconds) for name, seconds in of.items()} for model, of in times.items()}
    write(out, "held_context", {"median_seconds": medians, "ratios": found}, section(found))


if __name__ == "__main__":
    main(parse_out(__doc__))
