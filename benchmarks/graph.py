"""The graphs of the models: compared with numpy, from a stored state, with more threads, and by kind of node.

Each graph runs through the service's runtime (all outputs, the state included) and the same model in numpy, with one
thread each, in turn in one process: medians, and in brackets the quartiles of the ratio within a round. *stored*: the
state exists, and only the queries are sent; that saves the pass over observations, and the steps stay. Of `linear` the
readout of the state is stored too, as the service keeps it; numpy computes it again.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.models import model_file, runtime_of
from benchmarks.results import Goal, Result, Table
from benchmarks.serving.specs import SIZES
from benchmarks.timing import Quartiles, Times, format_quartiles, in_turn, quartiles, ratios
from service.inference.distribution import NOTHING
from service.inference.predictor import scale_flag
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.inference.wide_readout import wide_readout

State = tuple[Array, ...]
"""In the order of the graph's outputs, without their batch axis."""
Data = Mapping[str, Array]
"""x (N, D), y (N, K) and weight (N,), or none of them; x_query (M, D)."""
CELLS = tuple(f"state.{name}" for name in ("count", "count_of_squares", "mean", "present", "comoment", "peak"))
"""The state of `linear`."""
Model = Callable[[State, Data], tuple[Array, State]]
"""From a state and data to the prediction (M, K) and the state after."""


def gradient_descent(steps: int, state: State, data: Data) -> tuple[Array, State]:
    """Take gradient steps on raw data, each of the length that lowers the loss most."""
    count, gated_sum = state
    inputs = data["x_query"].shape[1]
    if "x" in data:
        x, y, weight = data["x"], data["y"], data["weight"]
        gated_sum = gated_sum.copy()
        gated_sum[:inputs] += (weight[:, None] * x).T @ np.concatenate([x, y], 1)
        count = count + weight.sum()
    mean = gated_sum[:inputs] / count
    gram, cross = mean[:, :inputs], mean[:, inputs:]
    change = np.zeros_like(cross)
    for _ in range(steps):
        direction = cross - gram @ change
        slope = (direction * direction).sum(0)
        bend = (direction * (gram @ direction)).sum(0)
        change = change + np.divide(slope, bend, out=np.zeros_like(bend), where=bend > 0) * direction
    return data["x_query"] @ change, (count, gated_sum)


def linear(state: State, data: Data) -> tuple[Array, State]:
    """Average ridge regression over its strength by evidence; the eigendecomposition is the service's own."""
    x_query = data["x_query"]
    after = _observe_cells(state, data["x"], data["y"], data["weight"]) if "x" in data else state
    count, squares, mean, _, comoment, _ = after
    inputs = x_query.shape[1]
    outputs = len(mean) - inputs
    batch = {name: tensor[None] for name, tensor in zip(CELLS, after, strict=True)}
    found = wide_readout(batch, outputs, np.zeros(inputs), [np.ones(inputs)], scale=False, response=False)
    spread = np.sqrt(comoment.diagonal()[outputs:] / count)
    effective = float(count * count / squares)
    reach = (1.0 + np.sqrt(max(effective - 1.0, 0.0))) * spread
    near = (x_query - mean[outputs:]).clip(-reach, reach)
    return near @ found["cached.weight"][0] + mean[:outputs], after


def linear_in_steps(steps: int, state: State, data: Data) -> tuple[Array, State]:
    """Take gradient steps on standardised data with an intercept: version 1 of `linear`."""
    x_query = data["x_query"]
    after = _observe(state, data["x"], data["y"], data["weight"]) if "x" in data else state
    count, mean, comoment, peak = after
    inputs = x_query.shape[1]
    squared = comoment.diagonal()
    varies = squared > np.maximum(count * (1e-12 * mean) ** 2, 1e-14 * peak)
    length = np.sqrt(np.where(varies, squared, np.inf))[:inputs]
    scaled = comoment[:inputs] / length[:, None]
    gram, cross = scaled[:, :inputs] / length, scaled[:, inputs:]
    power = gram
    for _ in range(4):
        power = power @ power
    bound = max(1.0, (power * power).sum() ** (1 / 32))
    gram, cross = gram / bound, cross / bound
    change = cross
    for _ in range(steps - 1):
        change = change + (cross - gram @ change)
    return (x_query - mean[:inputs]) / length @ change + mean[inputs:], after


def _observe(state: State, x: Array, y: Array, weight: Array) -> State:
    return _observe_rows(state, np.concatenate([x, y], 1), weight)


def _observe_cells(state: State, x: Array, y: Array, weight: Array) -> State:
    """Do so where y comes before x, and the squares of the weights are counted too; no cell is missing."""
    count, squares, mean, present, comoment, peak = state
    moments = _observe_rows((count, mean, comoment, peak), np.concatenate([y, x], 1), weight)
    count, mean, comoment, peak = moments
    squares = squares + np.where(weight == np.floor(weight), weight, weight * np.abs(weight)).sum()
    return count, squares, mean, present, comoment, peak


def _observe_rows(state: State, z: Array, weight: Array) -> State:
    """Join the moments of new observations with those before (Chan, Golub and LeVeque)."""
    count, mean, comoment, peak = state
    new = weight.sum()
    new_mean = weight @ z / new
    offset = z - new_mean
    new_mean = new_mean + weight @ offset / new  # what rounding left
    share, gap = new / (count + new), new_mean - mean
    comoment = comoment + (weight[:, None] * offset).T @ offset + count * share * np.outer(gap, gap)
    return count + new, mean + share * gap, comoment, np.maximum(peak, np.abs(comoment.diagonal()))


MODELS: dict[str, Model] = {
    "gd-1": partial(gradient_descent, 1),
    "gd-8": partial(gradient_descent, 8),
    "linear-1.0.0": partial(linear_in_steps, 8),
    "linear": linear,
}
"""In numpy, for one context: state in, state out."""


CALLS_PER_TIME = 5
"""Calls that are timed together, after one that loads their code and data into the caches."""
TARGET_NUMPY, TARGET_STORED = 1.2, 1 / 3
TARGET_SIZE = "L"
COPYING = ("Transpose", "Cast", "Expand", "Identity", "Where")
"""Kinds of nodes that only move or choose numbers; the others compute, or return shapes."""
THREADS = """Threads that one run of `linear` may use (`GDSSM_THREADS`); onnxruntime gives a second one only to nodes
that are large enough by its own estimate."""
NODES = "Nodes as exported and as onnxruntime runs them, and those of the latter that only move or choose numbers."
REASONS = {
    "graph ÷ numpy": "Each node costs onnxruntime's overhead; the matrix product is as fast as numpy's.",
    "stored ÷ one-shot": "Only the pass over the observations is saved; line searches cost the same from a state.",
}

Kinds = Counter[str]
"""How many nodes of each kind."""
Summary = Mapping[str, Quartiles]
"""Seconds by call, and ratios of calls within a round."""


@dataclass(frozen=True)
class Sizes:
    """The sizes, and how often each is measured."""

    payloads: dict[str, tuple[int, int, int]] = field(default_factory=lambda: dict(SIZES))
    """N, D and M by name."""
    rounds: int = 200
    large: tuple[tuple[int, int, int], ...] = ((1000, 32, 200), (1000, 128, 30), (10_000, 32, 20), (10_000, 256, 5))
    """N, D and rounds of the contexts that run with more threads."""
    threads: tuple[int, ...] = (1, 2)


QUICK = Sizes({"S": (3, 2, 1), "L": (5, 3, 2)}, rounds=2, large=((4, 3, 2),), threads=(1, 2))


def run(*, quick: bool) -> Result:
    """Measure and report."""
    return measure(QUICK if quick else Sizes())


def measure(sizes: Sizes) -> Result:
    """Measure and report some sizes."""
    with threadpool_limits(1, user_api="blas"):
        times = {
            model: {name: against_numpy(model, *size, sizes.rounds) for name, size in sizes.payloads.items()}
            for model in MODELS
        }
    threads = {f"{n:,} × {d}": with_threads(n, d, sizes.threads, rounds) for n, d, rounds in sizes.large}
    nodes = {model: (exported(model_file(model)), optimised(model_file(model))) for model in MODELS}
    return report(
        {model: {size: summarize(of) for size, of in by_size.items()} for model, by_size in times.items()},
        {size: _summarize_threads(of) for size, of in threads.items()},
        nodes,
        sizes.payloads,
    )


def against_numpy(model: str, observations: int, inputs: int, queries: int, rounds: int) -> Times:
    """Time the graph and numpy, in one shot and from a state."""
    runtime, data = runtime_of(model), draw(observations, inputs, queries)
    query, flags = {"x_query": data["x_query"]}, scale_flag(runtime.manifest, NOTHING)
    outputs = runtime.run(with_batch(data) | flags)
    empty, stored, readout = empty_state(runtime, data), runtime.state_after(outputs), runtime.readout_of(outputs)
    calls: dict[str, Callable[[], object]] = {
        "graph": partial(runtime.run, empty | with_batch(data) | flags),
        "numpy": partial(MODELS[model], without_batch(empty), data),
        "graph, stored": partial(runtime.run, stored | readout | with_batch(query) | flags),
        "numpy, stored": partial(MODELS[model], without_batch(stored), query),
    }
    return in_turn(calls, rounds, CALLS_PER_TIME, warm_up=True)


def with_threads(observations: int, inputs: int, threads: tuple[int, ...], rounds: int) -> Times:
    """Time `linear` with different numbers of threads."""
    data = draw(observations, inputs, 10)
    calls: dict[str, Callable[[], object]] = {}
    for number in threads:
        runtime = runtime_of("linear", number)
        calls[str(number)] = partial(runtime.run, with_batch(data) | scale_flag(runtime.manifest, NOTHING))
    return in_turn(calls, rounds, CALLS_PER_TIME, warm_up=True)


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


def summarize(times: Times) -> Summary:
    """Return the quartiles of every call and of the two ratios."""
    return {
        **{name: quartiles(values) for name, values in times.items()},
        "graph ÷ numpy": ratios(times, "graph", "numpy"),
        "stored ÷ one-shot": ratios(times, "graph, stored", "graph"),
    }


def _summarize_threads(times: Times) -> Summary:
    one, *more = times
    return {
        **{name: quartiles(values) for name, values in times.items()},
        **{f"{name} ÷ {one}": ratios(times, name, one) for name in more},
    }


def report(
    times: Mapping[str, Mapping[str, Summary]],
    threads: Mapping[str, Summary],
    nodes: Mapping[str, tuple[Kinds, Kinds]],
    sizes: Mapping[str, tuple[int, int, int]],
) -> Result:
    """Lay out the measurements.

    Args:
        times: By model and size; the calls are `graph`, `numpy`, `graph, stored` and `numpy, stored`.
        threads: By size; the calls are numbers of threads.
        nodes: As exported and as optimised, by model.
        sizes: N, D and M by name.
    """
    letters = "; ".join(f"{s}: N = {n:,}, D = {d}, M = {m:,}" for s, (n, d, m) in sizes.items())
    return Result(
        title="Graphs compared with numpy",
        method=f"{__doc__}\n{letters}.",
        tables=[_against_numpy(times), _by_threads(threads), _by_kind(nodes)],
        goals=list(_goals(times)),
        numbers={
            "sizes": sizes,
            "seconds": times,
            "threads": threads,
            "nodes": {m: {"exported": dict(before), "optimised": dict(after)} for m, (before, after) in nodes.items()},
        },
    )


def _goals(times: Mapping[str, Mapping[str, Summary]]) -> Iterator[Goal]:
    for model, by_size in times.items():
        for ratio, target in (("graph ÷ numpy", TARGET_NUMPY), ("stored ÷ one-shot", TARGET_STORED)):
            middle = by_size[TARGET_SIZE][ratio][1]
            measure = f"{model}, {TARGET_SIZE}: {ratio}"
            yield Goal(measure, f"≤ {target:.3f}", f"{middle:.3f}", middle <= target, REASONS[ratio])


def _against_numpy(times: Mapping[str, Mapping[str, Summary]]) -> Table:
    columns = ("graph", "numpy", "graph ÷ numpy", "graph, stored", "numpy, stored", "stored ÷ one-shot")
    rows = [
        [model, size, *(_cell(column, of[column]) for column in columns)]
        for model, by_size in times.items()
        for size, of in by_size.items()
    ]
    return Table("", ["model", "size", *columns], rows)


def _by_threads(threads: Mapping[str, Summary]) -> Table:
    columns = list(next(iter(threads.values())))
    rows = [[size, *(_cell(column, of[column]) for column in columns)] for size, of in threads.items()]
    titles = [column if "÷" in column else f"threads: {column}" for column in columns]
    return Table(THREADS, ["N × D", *titles], rows)


def _by_kind(nodes: Mapping[str, tuple[Kinds, Kinds]]) -> Table:
    rows = [
        [model, *map(str, [before.total(), after.total(), *(after[kind] for kind in COPYING)])]
        for model, (before, after) in nodes.items()
    ]
    return Table(NODES, ["model", "exported", "optimised", *COPYING], rows)


def _cell(column: str, values: Sequence[float]) -> str:
    low, middle, high = values
    return format_quartiles((low, middle, high)) if "÷" in column else f"{middle * 1e6:,.0f} µs"


def exported(path: Path) -> Kinds:
    """Count the nodes of a file, those in the branches of an If included."""
    return Counter(node.op_type for node in nodes_in(onnx.load(path).graph))


def nodes_in(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """List the nodes of a graph, and of the branches in it."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from nodes_in(attribute.g)


def optimised(path: Path) -> Kinds:
    """Count the nodes that onnxruntime runs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    with TemporaryDirectory() as directory:
        options.optimized_model_filepath = f"{directory}/optimised.onnx"
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return exported(Path(options.optimized_model_filepath))
