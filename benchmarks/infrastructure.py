"""Code of this project compared with the library call that it replaces: microseconds of one call, in one process.

The project keeps such code only where this table pays for it. The calls take turns; the ratio is within a round, its
median, and in brackets its quartiles.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from functools import partial
from statistics import median

import numpy as np
from fastapi import Response
from prometheus_client import CollectorRegistry, Histogram
from pydantic_core import from_json
from starlette.types import ASGIApp, Message

from benchmarks.results import Result, Table
from benchmarks.serving.specs import payload
from benchmarks.timing import format_quartiles, in_turn, ratios
from service.access.keys import ANONYMOUS
from service.api import json_arrays
from service.api.endpoint import EndpointTable, PreparedResponse
from service.inference.runtime import Runtime
from service.observability import logs
from service.observability.logs import FastLogRecord
from service.observability.metrics import observe
from service.registry.repository import Repository
from service.settings import Settings
from tests.service.in_process import in_process

ROUNDS = 100
REPEATS = 10
PREDICTIONS = 20
AMOUNTS = np.full(1000, 0.003)
"""Seconds of so many requests."""
FIELDS = {"method": "POST", "route": "/v1/predict", "status": 200, "request_id": "a" * 32, "model": "gd-1"}
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
    with _logger() as logger, _endpoints() as (table, route):
        yield {
            "log line of a request": (
                lambda: logger.handle(FastLogRecord(logger, logging.INFO, LINE, FIELDS)),
                lambda: logger.info(LINE, extra=FIELDS),
            ),
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
def _logger() -> Iterator[logging.Logger]:
    """Yield a logger that writes as the service does, to nowhere."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):  # noqa: PTH123
        logs.configure("info", "text")
        yield logging.getLogger(__name__)
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
