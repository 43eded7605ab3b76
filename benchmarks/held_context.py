"""What a query costs from a context that the server holds, beside one that brings its context with it, over HTTP.

Payload L (1,000 observations of 32 inputs, 10 queries), one connection, in turn; times are medians of one run, and what
counts is their ratio. The one-shot of payload S (10 observations of 10 inputs, one query) is there to show what HTTP
costs by itself.
"""

import json
import socket
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.results import parse_out, write
from benchmarks.serving.contestants import OURS
from benchmarks.serving.payloads import payload
from benchmarks.serving.servers import Server, send, started
from benchmarks.table import markdown

PAYLOAD = "L"
MODELS = ("gd-1", "linear")
REPEATS = 200
GOAL = 1 / 3
"""Of the one-shot's time, at most."""


def measure(model: str, repeats: int = REPEATS) -> dict[str, float]:
    """Ask all in turn, again and again: median seconds of each."""
    with started(OURS, model) as server, server.connect() as connection:
        asked = requests(server, connection)
        times: dict[str, list[float]] = {name: [] for name in asked}
        for _ in range(repeats):
            for name, request in asked.items():
                start = time.perf_counter()
                send(connection, request)
                times[name].append(time.perf_counter() - start)
    return {name: float(np.median(seconds)) for name, seconds in times.items()}


def requests(server: Server, connection: socket.socket) -> dict[str, bytes]:
    """Write what is asked, and make the context that one of them asks."""
    sent = payload(PAYLOAD)
    observations = {"x": sent.x.tolist(), "y": sent.y.tolist()}
    creating = _post(server, "/v1/contexts", {"model": server.model, "observations": observations})
    context = json.loads(send(connection, creating, status=201))["id"]
    return {
        "one-shot, JSON": server.request("json", PAYLOAD),
        "one-shot, binary": server.request("binary", PAYLOAD),
        "held, JSON": _post(server, f"/v1/contexts/{context}/predictions", {"query": sent.query.tolist()}),
        "one-shot of S, JSON": server.request("json", "S"),  # last: it would warm the caches for what counts
    }


def _post(server: Server, path: str, value: object) -> bytes:
    form = replace(server.contestant.forms["json"], path=path, write=lambda *_: json.dumps(value).encode())
    contestant = replace(server.contestant, forms={"json": form})
    return replace(server, contestant=contestant).request("json", PAYLOAD)


def section(found: dict[str, dict[str, float]]) -> str:
    """Tell it as tables."""
    ratios = {
        model: {name: took / seconds["one-shot, JSON"] for name, took in seconds.items()}
        for model, seconds in found.items()
    }
    names = list(next(iter(ratios.values())))
    rows = [[model, *(f"{ratio:.2f}" for ratio in of.values())] for model, of in ratios.items()]
    goals = [
        [
            "held, of the one-shot with JSON at most a third",
            model,
            f"{of['held, JSON']:.2f}",
            _verdict(of["held, JSON"]),
        ]
        for model, of in ratios.items()
    ]
    return "\n".join(
        [
            f"## A context that is held\n\n{__doc__}",
            markdown(["time of one answer, of the one-shot's with JSON", *names], rows),
            markdown(["goal", "model", "measured", ""], goals),
        ]
    )


def _verdict(ratio: float) -> str:
    return "met" if ratio <= GOAL else "**not met**"


def main(out: Path, repeats: int = REPEATS) -> None:
    """Measure, and leave the results."""
    found = {model: measure(model, repeats) for model in MODELS}
    write(out, "held_context", {"median_seconds": found}, section(found))


if __name__ == "__main__":
    main(parse_out(__doc__))
