"""Time of one observation into a stored context and its size in bytes: `nonlinear` compared with `linear`.

A context of 10 columns that has seen 50 observations learns one more, over HTTP on one connection, in process, and
without a database; SQLite waits for the disk after each, as in production. The models take turns, call by call. Each
time is the least of all calls, followed by the ratio, and by the ratio of the medians of a round: its median, in
brackets its quartiles. Processor time is the server's, of all rounds together. The size of many contexts is that of a
SQLite file that holds them.
"""

import json
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.held_context import post
from benchmarks.ratios import Quartiles, Times, ratios, told
from benchmarks.results import parse_out, write
from benchmarks.scale.contexts import FIRST, ONE, OWNER, Filled
from benchmarks.scale.point import UNLIMITED
from benchmarks.serving.contestants import OURS
from benchmarks.serving.processes import cpu_seconds
from benchmarks.serving.servers import Server, send, started
from benchmarks.table import markdown, verdict
from benchmarks.zoo import ZOO
from service.contexts.contexts import Contexts
from service.contexts.memory import learn, new_memory
from service.predictor import Predictor
from service.registry.repository import Repository
from service.store.database import Database

CONTROL, MODELS = "linear", ("linear", "nonlinear")
ROUNDS, CALLS = 30, 40
"""Observations of each model in each round."""
CONTEXTS = 100_000
MOST_TIMES, MOST_BYTES = 2.0, 5e9
"""Beyond either, contexts are linear unless their model is named."""
YEAR = 365 * 86_400

DOOR = "over HTTP"


def over_http(rounds: int) -> tuple[Times, dict[str, float]]:
    """Time observations through the door; returns them and the processor seconds of one, by model."""
    with started(OURS, CONTROL) as server, server.connect() as connection:
        calls = {model: _observing(server, connection, model) for model in MODELS}
        spent = dict.fromkeys(MODELS, 0.0)
        for _ in range(rounds):
            for model, call in calls.items():
                before = cpu_seconds(server.process.pid)
                for _ in range(CALLS):
                    call()
                spent[model] += cpu_seconds(server.process.pid) - before
        return in_turn(calls, rounds), {model: seconds / (rounds * CALLS) for model, seconds in spent.items()}


def in_process(rounds: int, *, stored: bool) -> Times:
    """Time observations without a server, and with or without a database."""
    with TemporaryDirectory() as directory, closing(Database.open(f"sqlite:///{directory}/stored.db")) as database:
        predictor = Predictor(Repository.load([ZOO], threads=1), CONTROL, UNLIMITED)
        contexts = Contexts(database, predictor, max_contexts=2**31, ttl=YEAR)
        make = _storing(contexts) if stored else _learning(predictor)
        return in_turn({model: make(model) for model in MODELS}, rounds)


def in_turn(calls: Mapping[str, Callable[[], object]], rounds: int) -> Times:
    """Time every call of every round, one of each model after the other."""
    times: Times = {model: [] for model in calls}
    for _ in range(rounds * CALLS):
        for model, call in calls.items():
            start = time.perf_counter()
            call()
            times[model].append(time.perf_counter() - start)
    return times


def size(model: str, count: int) -> tuple[int, int]:
    """Weigh a context of a model: the bytes that an export of it has, and those of a database with so many."""
    predictor = Predictor(Repository.load([ZOO], threads=1), model, UNLIMITED)
    with TemporaryDirectory() as directory:
        path = Path(directory) / "filled.db"
        with closing(Filled(path, predictor, model, count)) as filled:
            exported = len(filled.export())
        return exported, path.stat().st_size


def _observing(server: Server, connection: socket.socket, model: str) -> Callable[[], object]:
    first = {"x": FIRST.x.tolist(), "y": FIRST.y.tolist()}
    made = send(connection, post(server, "/v1/contexts", {"model": model, "observations": first}), status=201)
    path = f"/v1/contexts/{json.loads(made)['id']}/observations"
    request = post(server, path, {"x": ONE.x.tolist(), "y": ONE.y.tolist()})
    return lambda: send(connection, request)


def _storing(contexts: Contexts) -> Callable[[str], Callable[[], object]]:
    def make(model: str) -> Callable[[], object]:
        context = contexts.create(OWNER, model, FIRST).id
        return lambda: contexts.observe(OWNER, context, ONE)

    return make


def _learning(predictor: Predictor) -> Callable[[str], Callable[[], object]]:
    def make(model: str) -> Callable[[], object]:
        runtime = predictor.runtime(model)
        memory = learn(runtime, UNLIMITED, new_memory(runtime.manifest, None), FIRST)
        return lambda: learn(runtime, UNLIMITED, memory, ONE)

    return make


def section(
    times: Mapping[str, Times], processor: Mapping[str, float], sizes: Mapping[str, tuple[int, int]], count: int
) -> str:
    """Tell it as tables.

    Args:
        times: Seconds by way and model.
        processor: Seconds by model.
        sizes: Bytes of one and of all, by model.
        count: How many all are.
    """
    rows = [[*_row(way, _least(of)), told(_within_rounds(of))] for way, of in times.items()]
    rows.append([*_row("over HTTP, processor time", processor), ""])
    weights = [[model, f"{one:,}", f"{many / 1e9:.2f} GB"] for model, (one, many) in sizes.items()]
    door, file = _ratio(_least(times[DOOR])), sizes["nonlinear"][1]
    goals = [
        [f"an observation, of one into `linear`, at most {MOST_TIMES:g}", f"{door:.2f}", verdict(door <= MOST_TIMES)],
        [
            f"{count:,} contexts, at most {MOST_BYTES / 1e9:g} GB",
            f"{file / 1e9:.2f} GB",
            verdict(file <= MOST_BYTES),
        ],
    ]
    return "\n".join(
        [
            f"## A context that is stored\n\n{__doc__}",
            markdown(["one observation", *MODELS, "ratio", "of a round"], rows),
            markdown(["model", "bytes of an exported context", f"{count:,} in SQLite"], weights),
            markdown(["goal", "measured", ""], goals),
        ]
    )


def _least(times: Times) -> dict[str, float]:
    return {model: min(seconds) for model, seconds in times.items()}


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


def main(out: Path, rounds: int = ROUNDS, count: int = CONTEXTS) -> None:
    """Measure, and leave the results."""
    door, processor = over_http(rounds)
    times = {
        DOOR: door,
        "in process": in_process(rounds, stored=True),
        "in process, without a database": in_process(rounds, stored=False),
    }
    sizes = {model: size(model, count) for model in MODELS}
    numbers = {
        "seconds": {way: _least(of) for way, of in times.items()},
        "ratios": {way: _within_rounds(of) for way, of in times.items()},
        "processor_seconds": processor,
        "bytes": sizes,
    }
    write(out, "stored_context", numbers, section(times, processor, sizes, count))


if __name__ == "__main__":
    main(parse_out(__doc__))
