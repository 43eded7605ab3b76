"""The graphs beside numpy, from a held state, with more threads, and by nodes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.graph.nodes import exported, optimised
from benchmarks.graph.numpy_models import MODELS, State
from benchmarks.graph.report import Found
from benchmarks.graph.timing import time_in_turn
from benchmarks.ratios import Times
from benchmarks.results import parse_out, write
from benchmarks.serving.payloads import SIZES
from benchmarks.zoo import model_file
from service.distribution import NOTHING
from service.predictor import scale_flag
from service.runtime import Runtime
from service.shapes import Array


@dataclass(frozen=True)
class Sizes:
    """What is measured, and how often."""

    payloads: dict[str, tuple[int, int, int]] = field(default_factory=lambda: dict(SIZES))
    """N, D and M by name."""
    rounds: int = 200
    large: tuple[tuple[int, int, int], ...] = ((1000, 32, 200), (1000, 128, 30), (10_000, 32, 20), (10_000, 256, 5))
    """N, D and rounds of the contexts that are tried with more threads."""
    threads: tuple[int, ...] = (1, 2)


def main(out: Path, sizes: Sizes) -> None:
    """Measure, and leave the results."""
    with threadpool_limits(1, user_api="blas"):
        times = {
            model: {name: against_numpy(model, *size, sizes.rounds) for name, size in sizes.payloads.items()}
            for model in MODELS
        }
    threads = {f"{n:,} × {d}": with_threads(n, d, sizes.threads, rounds) for n, d, rounds in sizes.large}
    paths = {model: model_file(model) for model in MODELS}
    before, after = ({model: count(path) for model, path in paths.items()} for count in (exported, optimised))
    found = Found(times, threads, before, after, sizes.payloads)
    write(out, "graph", found.numbers(), found.section())


def against_numpy(model: str, observations: int, inputs: int, queries: int, rounds: int) -> Times:
    """Time the graph and numpy, in one shot and from a state."""
    runtime, data = Runtime.load(model_file(model)), draw(observations, inputs, queries)
    query, flags = {"x_query": data["x_query"]}, scale_flag(runtime.manifest, NOTHING)
    outputs = runtime.run(with_batch(data) | flags)
    empty, held, readout = empty_state(runtime, data), runtime.state_after(outputs), runtime.readout_of(outputs)
    calls: dict[str, Callable[[], object]] = {
        "graph": partial(runtime.run, empty | with_batch(data) | flags),
        "numpy": partial(MODELS[model], without_batch(empty), data),
        "graph, held": partial(runtime.run, held | readout | with_batch(query) | flags),
        "numpy, held": partial(MODELS[model], without_batch(held), query),
    }
    return time_in_turn(calls, rounds)


def with_threads(observations: int, inputs: int, threads: tuple[int, ...], rounds: int) -> Times:
    """Time `linear` with different numbers of threads."""
    data = draw(observations, inputs, 10)
    calls: dict[str, Callable[[], object]] = {}
    for number in threads:
        runtime = Runtime.load(model_file("linear"), number)
        calls[str(number)] = partial(runtime.run, with_batch(data) | scale_flag(runtime.manifest, NOTHING))
    return time_in_turn(calls, rounds)


def draw(observations: int, inputs: int, queries: int) -> dict[str, Array]:
    """Make a random context with scalar y, and queries."""
    generator = np.random.default_rng(observations)
    x, x_query = generator.normal(size=(observations, inputs)), generator.normal(size=(queries, inputs))
    y = x @ generator.normal(size=(inputs, 1)) + 0.1 * generator.normal(size=(observations, 1))
    return {"x": x, "y": y, "weight": np.ones(observations), "x_query": x_query}


def with_batch(data: dict[str, Array]) -> dict[str, Array]:
    """Make a batch of one context."""
    return {name: array[None] for name, array in data.items()}


def empty_state(runtime: Runtime, data: dict[str, Array]) -> dict[str, Array]:
    """Make the state before the first of these observations."""
    complete = runtime.complete(with_batch(data))
    return {spec.name: complete[spec.name] for spec in runtime.manifest.state}


def without_batch(state: dict[str, Array]) -> State:
    """Take the state of the only context."""
    return tuple(tensor[0] for tensor in state.values())


if __name__ == "__main__":
    main(parse_out(__doc__), Sizes())
