"""The report of serving: tables and a figure."""

from collections.abc import Iterator, Sequence
from statistics import median

from matplotlib.figure import Figure

from benchmarks.plots import bars, render
from benchmarks.results import Result, Table, short
from benchmarks.serving.instructions import REPEATS
from benchmarks.serving.load import Case
from benchmarks.serving.measurements import (
    CONNECTIONS,
    CPU_TARGETS,
    HAND_WRITTEN,
    MODEL,
    OURS,
    TYPICAL,
    ServingMeasurements,
    Spread,
    cpu_goals,
    goals,
)
from benchmarks.serving.specs import SIZES

FIGURE = "serving-cost"
METHOD = """Every server answers the same model file ({model} unless stated otherwise; onnxruntime, one thread) with one
worker on one core; wrk loads it from the other core. Payloads: {sizes}. All answers were compared with the model's
first. Ours runs as in production: keys, a rate limit, size limits, metrics, request ids, a log line for each request;
the others with their defaults. Rounds go through all servers in turn; a figure is the median of the rounds, with the
least and the largest. Ratios are within a round. *{control}* is the hand-written server: it parses, runs the model and
writes, and does nothing else. *By hand* is the figure of the fastest hand-written application."""
CPU = f"Processor time of one request ÷ {HAND_WRITTEN}'s at {CONNECTIONS} connections, the measure of our cost:"
COUNTS = """Instructions per request of {model}, in thousands, median of {repeats} counts by {counted_by}; the kernel's
by perf only. Ours without its periodic checks, and with its share of the sums for Prometheus:"""
TIMES = (
    f"Processor time of one request at {CONNECTIONS} connections in µs, and its ratio to {HAND_WRITTEN}'s with JSON:"
)
RATES = f"Requests per second of {{}} at {{}} connections, as ratios to {TYPICAL}'s and to {HAND_WRITTEN}'s with JSON:"
LATENCIES = f"Latency at {CONNECTIONS} connections, median and 99th percentile:"


def report(found: ServingMeasurements, peers: Sequence[str]) -> Result:
    """Lay out the measurements.

    Args:
        found: The measurements.
        peers: All servers that are neither ours nor controls, the typical one first.
    """
    sizes = "; ".join(f"{name} N = {n}, D = {d}, {m} queries" for name, (n, d, m) in SIZES.items())
    return Result(
        title="Serving",
        method=METHOD.format(model=MODEL, sizes=sizes, control=HAND_WRITTEN),
        tables=list(_tables(found)),
        goals=goals(found, peers),
        numbers=found.to_dict(),
        figures={FIGURE: render(figure(found), FIGURE)},
    )


def figure(found: ServingMeasurements) -> Figure:
    """Draw the processor time of one request, each server with each kind."""
    cost: dict[str, dict[str, float]] = {}
    for name, kind in _who(found, MODEL):
        spreads = {p: found.spread(MODEL, Case(name, kind, p, CONNECTIONS), "cpu") for p in SIZES}
        cost[label(name, kind)] = {p: spread.middle * 1e6 for p, spread in spreads.items() if spread}
    return bars(cost, "processor time of one request, µs", ours=[label(OURS, kind) for kind in ("json", "binary")])


def label(name: str, kind: str) -> str:
    """Name a server with a kind."""
    return name if kind == "json" else f"{name}, {kind}"


def _tables(found: ServingMeasurements) -> Iterator[Table]:
    sizes = ["", "", *SIZES]
    targets = (f"≤ {target:g}" for target in CPU_TARGETS.values())
    ratios = (goal.result for goal in cpu_goals(found))
    yield Table(CPU, ["", *CPU_TARGETS], [["target", *targets], ["result", *ratios]])
    for model in found.counts:
        caption = COUNTS.format(model=model, repeats=REPEATS, counted_by=found.counted_by)
        yield Table(caption, sizes, list(_counts(found, model)))
    yield Table(TIMES, sizes, list(_times(found)))
    for model, connections in dict.fromkeys((m.model, m.case.connections) for m in found.loads):
        yield Table(RATES.format(model, connections), sizes, list(_rates(found, model, connections)))
    yield Table(LATENCIES, sizes, list(_latencies(found)))
    if missing := list(_not_measured(found)):
        yield Table("", ["not measured", "reason"], missing)


def _who(found: ServingMeasurements, model: str) -> list[tuple[str, str]]:
    """List servers with their kinds, in the order of the measurements."""
    return list(dict.fromkeys((m.case.server, m.case.kind) for m in found.loads if m.model == model))


def _counts(found: ServingMeasurements, model: str) -> Iterator[list[str]]:
    for name, kinds in found.counts[model].items():
        for kind, counts in kinds.items():
            yield [name, kind, *(short(median(counts[p]) / 1e3) if p in counts else "" for p in SIZES)]


def _times(found: ServingMeasurements) -> Iterator[list[str]]:
    for name, kind in _who(found, MODEL):
        cells = []
        for payload in SIZES:
            case, control = Case(name, kind, payload, CONNECTIONS), Case(HAND_WRITTEN, "json", payload, CONNECTIONS)
            taken = found.spread(MODEL, case, "cpu")
            cells.append(
                f"{short(taken.middle * 1e6)} · {_cell(found.ratio(MODEL, case, control, 'cpu'))}" if taken else ""
            )
        yield [name, kind, *cells]


def _rates(found: ServingMeasurements, model: str, connections: int) -> Iterator[list[str]]:
    for name, kind in _who(found, model):
        cells = []
        for payload in SIZES:
            case = Case(name, kind, payload, connections)
            ratios = [
                _cell(found.ratio(model, case, Case(other, "json", payload, connections), "rate"))
                for other in (TYPICAL, HAND_WRITTEN)
            ]
            cells.append(" · ".join(ratios) if any(ratios) else "")
        yield [name, kind, *cells]


def _latencies(found: ServingMeasurements) -> Iterator[list[str]]:
    for name, kind in _who(found, MODEL):
        cells = []
        for payload in SIZES:
            case = Case(name, kind, payload, CONNECTIONS)
            middle, tail = (found.spread(MODEL, case, what) for what in ("p50", "p99"))
            cells.append(f"{short(middle.middle * 1e3)} · {short(tail.middle * 1e3)} ms" if middle and tail else "")
        yield [name, kind, *cells]


def _not_measured(found: ServingMeasurements) -> Iterator[list[str]]:
    """List servers and rounds that are missing, with the reasons."""
    yield from ([name, reason] for name, reason in found.skipped.items())
    for measured in found.loads:
        case = measured.case
        where = f"{case.server}, {case.kind}, {case.payload}, {case.connections} connections, {measured.model}"
        yield from ([f"one round of {where}", load.invalid] for load in measured.rounds if load.invalid)


def _cell(spread: Spread | None) -> str:
    return "" if spread is None else str(spread)
