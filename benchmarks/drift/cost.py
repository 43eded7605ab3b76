"""Cost of an observation with decay auto ÷ one with a fixed decay: in process, over HTTP, and on a WebSocket.

One observation in BLOCK scores and learns the waiting ones, so BLOCK in a row are timed.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import httpx
import numpy as np
from websockets.sync.client import ClientConnection, connect

from benchmarks.serving.servers import started
from benchmarks.serving.specs import OURS
from benchmarks.timing import in_turn
from service.contexts.drift import BLOCK
from service.contexts.learning import learn
from service.contexts.state import answer, new_state
from service.inference.checks import Limits
from service.inference.predictor import Observations
from service.inference.runtime import Runtime

INPUTS, ROUNDS = 10, 100
DECAYS = {"fixed": 0.99, "auto": "auto"}
Work = Callable[[], object]


class ObservationCost(NamedTuple):
    """Of one observation: the ratio, and seconds."""

    ratio: float
    fixed: float
    auto: float


def costs(runtime: Runtime, rounds: int = ROUNDS) -> dict[str, ObservationCost]:
    """Time every way to observe."""
    found = {
        "learning, in process": _timed(_in_process(runtime, predicts=False), rounds),
        "predicting, then learning, in process": _timed(_in_process(runtime, predicts=True), rounds),
    }
    with _clients() as clients:
        found |= {name: _timed(work, rounds) for name, work in clients.items()}
    return {name: ObservationCost(auto / fixed, fixed, auto) for name, (fixed, auto) in found.items()}


def _timed(works: dict[str, Work], rounds: int) -> tuple[float, float]:
    """Time them in turn: the least seconds of one observation, fixed and auto."""
    times = in_turn(works, rounds, BLOCK)
    return min(times["fixed"]), min(times["auto"])


def _rows(count: int) -> Observations:
    generator = np.random.default_rng(0)
    return Observations(generator.normal(size=(count, INPUTS)), generator.normal(size=count))


def _in_process(runtime: Runtime, *, predicts: bool) -> dict[str, Work]:
    limits, one = Limits(sys.maxsize, sys.maxsize), _rows(1)

    def work_of(decay: object) -> Work:
        memory = learn(runtime, limits, new_state(runtime.manifest, decay), _rows(104))  # type: ignore[arg-type]

        def work() -> None:
            nonlocal memory
            if predicts:
                answer(runtime, limits, memory, one.x)
            memory = learn(runtime, limits, memory, one)

        return work

    return {name: work_of(decay) for name, decay in DECAYS.items()}


def _ask(stream: ClientConnection, message: str) -> object:
    stream.send(message)
    return stream.recv()


@contextmanager
def _clients() -> Iterator[dict[str, dict[str, Work]]]:
    """Start a service, and create a context with each decay for each protocol."""
    one, first = _rows(1), _rows(104)
    row, observations = {"x": one.x.tolist(), "y": one.y.tolist()}, {"x": first.x.tolist(), "y": first.y.tolist()}
    message = json.dumps({"observation": {"x": row["x"][0], "y": row["y"][0]}})
    with started(OURS, "linear") as server:
        address, headers = f"127.0.0.1:{server.port}/v1/contexts", dict(server.spec.forms["json"].headers)
        with httpx.Client(headers=headers) as client:
            clients: dict[str, dict[str, Work]] = {"POST observations": {}, "WebSocket (predicts, then learns)": {}}
            streams = []
            for name, decay in DECAYS.items():
                body = {"model": "linear", "decay": decay, "observations": observations}
                posted, streamed = (client.post(f"http://{address}", json=body).json()["id"] for _ in range(2))
                stream = connect(f"ws://{address}/{streamed}/stream", additional_headers=headers)
                streams.append(stream)
                post = partial(client.post, f"http://{address}/{posted}/observations", json=row)
                clients["POST observations"][name] = post
                clients["WebSocket (predicts, then learns)"][name] = partial(_ask, stream, message)
            yield clients
            for stream in streams:
                stream.close()
