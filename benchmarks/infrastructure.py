"""Code of this project compared with the library call that it replaces: microseconds of one call, in one process.

The project keeps such code only where this table pays for it. The calls take turns; the ratio is within a round, its
median, and in brackets its quartiles.
"""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from functools import partial
from pathlib import Path
from statistics import median
from types import FrameType

import numpy as np
from fastapi import Response
from prometheus_client import CollectorRegistry, Histogram
from pydantic_core import from_json
from starlette.types import ASGIApp, Message

from benchmarks.results import Goal, Result, Table
from benchmarks.serving.specs import payload
from benchmarks.timing import format_quartiles, in_turn, ratios
from service.access.keys import ANONYMOUS
from service.api import json_arrays
from service.api.endpoint import EndpointTable, PreparedResponse
from service.inference.runtime import Runtime
from service.observability import logs
from service.observability.logs import RequestLog
from service.observability.metrics import observe
from service.observability.request_stats import RequestStats
from service.registry.repository import Repository
from service.settings import Settings
from tests.running import ROOT
from tests.service.in_process import InProcess, in_process

ROUNDS = 100
REPEATS = 10
PREDICTIONS = 20
AMOUNTS = np.full(1000, 0.003)
"""Seconds of so many requests."""
REQUESTS = [RequestStats("a" * 32, model="gd-1", method="POST", route="/v1/predict", status=200, size=100)] * 32
"""Of one iteration of the event loop."""
LINE = "POST /v1/predict 200 1.20 ms request=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa model=gd-1 key= bytes=100"

Calls = dict[str, tuple[Callable[[], object], Callable[[], object]]]


@contextmanager
def calls() -> Iterator[Calls]:
    """Yield the pairs by name: the call of this project, and the one that it replaces."""
    content, runtime = json.dumps({"x": payload("M").x.tolist()}).encode(), _runtime("gd-1")
    histogram = Histogram("amounts", "Amounts.", ["model"], registry=CollectorRegistry()).labels("gd-1")
    sizes = payload("S")
    inputs = runtime.complete({"x": sizes.x[None], "y": sizes.y[None, :, None], "x_query": sizes.query[None]})
    outputs = [spec.name for spec in runtime.manifest.outputs]
    with _request_logs() as (together, by_records), _endpoints() as (table, route):
        yield {
            f"log lines of {len(REQUESTS)} requests": (together, by_records),
            "sums of a histogram, 1,000 requests": (
                partial(observe, histogram, AMOUNTS),
                lambda: _observe_each(histogram),
            ),
            "run of the graph of gd-1, payload S": (
                lambda: runtime._run(outputs, inputs, None),  # noqa: SLF001
                lambda: runtime._session.run(outputs, inputs),  # noqa: SLF001
            ),
            "response": (
                partial(PreparedResponse, LINE.encode(), "application/json"),
                partial(Response, LINE.encode(), media_type="application/json"),
            ),
            "arrays from JSON, payload M": (
                partial(json_arrays.decode, content),
                lambda: np.array(from_json(content)["x"]),
            ),
            f"{PREDICTIONS} predictions, payload S, behind the middleware": (table, route),
        }


def run(*, quick: bool) -> Result:
    """Measure and report."""
    rows, numbers = [], {}
    with calls() as pairs:
        for name, (ours, theirs) in pairs.items():
            times = in_turn({"ours": ours, "library": theirs}, 3 if quick else ROUNDS, REPEATS, warm_up=True)
            numbers[name] = {who: median(of) * 1e6 for who, of in times.items()}
            rows.append(
                [
                    name,
                    *(f"{of:.2f}" for of in numbers[name].values()),
                    format_quartiles(ratios(times, "ours", "library")),
                ]
            )
    table = Table("", ["call", "ours, µs", "library, µs", "ours / library"], rows)
    return Result(title="Infrastructure", method=__doc__ or "", tables=[table], numbers=numbers)


def _observe_each(histogram: Histogram) -> None:
    for amount in AMOUNTS:
        histogram.observe(amount)


def _runtime(model: str) -> Runtime:
    return Repository.load_one([Settings().zoo], 1, model).get(model)


@contextmanager
def _request_logs() -> Iterator[tuple[Callable[[], object], Callable[[], object]]]:
    """Yield the lines of `REQUESTS` as the service writes them, and as records of logging, to nowhere."""
    root, logger = logging.getLogger(), logging.getLogger(__name__)
    before, level = root.handlers[:], root.level
    root.handlers[:] = []

    async def log(requests: RequestLog) -> None:
        for stats in REQUESTS:
            requests.add(logging.INFO, stats)
        await asyncio.sleep(0)

    with open(os.devnull, "w", buffering=1) as nowhere, redirect_stderr(nowhere), asyncio.Runner() as runner:  # noqa: PTH123
        by_records = RequestLog(logger)  # made before `configure`
        logs.configure("info", "text")
        together = RequestLog(logger)
        yield lambda: runner.run(log(together)), lambda: runner.run(log(by_records))
    root.handlers[:] = before
    root.setLevel(level)


@contextmanager
def _endpoints() -> Iterator[tuple[Callable[[], object], Callable[[], object]]]:
    """Yield one prediction through the endpoint table, and through its route."""
    sent = payload("S")
    context = {"x": sent.x.tolist(), "y": sent.y.tolist()}
    content = json.dumps({"model": "gd-1", "context": context, "query": sent.query.tolist()}).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(_: Message) -> None:
        """Drop the response."""

    with in_process(Settings()) as client, asyncio.Runner() as runner:
        layer = client.app.middleware_stack
        while not isinstance(layer, EndpointTable):
            layer = getattr(layer, "_app")  # noqa: B009
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/predict",
            "root_path": "",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))],
            "app": client.app,
            "state": {"caller": ANONYMOUS},
        }

        async def several(app: ASGIApp) -> None:
            for _ in range(PREDICTIONS):
                await app(dict(scope), receive, send)

        yield lambda: runner.run(several(layer)), lambda: runner.run(several(layer._app))  # noqa: SLF001


FILES_PASSED = """Source files of this project that one warm request passes, in process.

A file counts if a function of it runs in any thread between the request and its answer. Each request is repeated;
only files that every repeat passes count, which leaves out periodic background work."""
PACKAGES = ("service", "gdssm", "export")
COUNTS = 5
MOST_FILES = (15, 20)
SEPARATE = "Each step of a request is in a separate file (docs/architecture.md)."
CONTEXT = {"x": [[1.0, 2.0], [2.0, 1.0], [3.0, 5.0]], "y": [1.0, 2.0, 4.0]}
OBSERVATION = {"x": [[4.0, 1.0]], "y": [3.0]}
PREDICTION = {"model": "linear", "context": CONTEXT, "query": [[1.0, 1.0]]}


class Recorder:
    """A profile function that records the files of functions called while it is on, in all threads started after it."""

    def __init__(self) -> None:
        self._files: set[str] | None = None

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Receive one event from the interpreter."""
        if self._files is not None and event == "call":
            self._files.add(frame.f_code.co_filename)

    def files(self, call: Callable[[], object]) -> set[str]:
        """Return the files of this project, relative to its root, that run during a call."""
        found: set[str] = set()
        self._files = found
        call()
        self._files = None
        paths = (Path(name) for name in found)
        inside = (path.relative_to(ROOT) for path in paths if path.is_relative_to(ROOT))
        return {str(path) for path in inside if path.parts[0] in PACKAGES}


@contextmanager
def recording() -> Iterator[Recorder]:
    """Install a recorder for all threads that start inside."""
    recorder, before = Recorder(), threading.getprofile()
    threading.setprofile(recorder)
    try:
        yield recorder
    finally:
        threading.setprofile(before)


def requests(client: InProcess) -> dict[str, Callable[[], object]]:
    """Return the requests to count, by name; the context of the second exists."""
    created = client.request("POST", "/v1/contexts", json={"model": "linear", "observations": CONTEXT})
    path = f"/v1/contexts/{created.json()['id']}/observations"

    def observe() -> None:
        client.request("POST", path, json=OBSERVATION).raise_for_status()

    return {
        "POST /v1/predict": lambda: client.predict(PREDICTION).raise_for_status(),
        "POST /v1/contexts/{id}/observations": observe,
    }


def count(repeats: int = COUNTS) -> dict[str, list[str]]:
    """Return the files that each request passes, sorted, by the name of the request."""
    with recording() as recorder, in_process(Settings(auth="off")) as client:
        calls = requests(client)
        for call in calls.values():
            call()
        return {
            name: sorted(set.intersection(*(recorder.files(call) for _ in range(repeats))))
            for name, call in calls.items()
        }


def files_passed(*, quick: bool) -> Result:
    """Count and report."""
    found = count(1 if quick else COUNTS)
    rows = [[name, str(len(files)), ", ".join(files)] for name, files in found.items()]
    goals = [
        Goal(f"files that {name} passes", f"≤ {most}", str(len(files)), len(files) <= most, SEPARATE)
        for (name, files), most in zip(found.items(), MOST_FILES, strict=True)
    ]
    return Result("Files passed", FILES_PASSED, [Table("", ["request", "files", ""], rows)], goals, found)
