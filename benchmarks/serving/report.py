"""What is told of serving: tables, goals, a figure."""

from collections.abc import Iterator, Sequence
from statistics import median

from matplotlib.figure import Figure

from benchmarks.plots import bars
from benchmarks.serving.found import Found, Spread
from benchmarks.serving.goals import CONNECTIONS, MODEL, OURS, TYPICAL, goals
from benchmarks.serving.instructions import REPEATS
from benchmarks.serving.payloads import SIZES
from benchmarks.serving.rounds import Case
from benchmarks.table import markdown, short, verdict

CONTROL = "orjson_app"
HOW = """Every server answers the same model file ({model} unless said otherwise; onnxruntime, one thread) with one
worker on one core; wrk loads it from the other core. Payloads: {sizes}. Everybody's answers were first held to the
model's. Ours runs as in production: keys, a rate limit, size limits, metrics, request ids and a log line for each
request; the others with their own defaults. Rounds go through all of them in turn; a figure is the median of the
rounds, with the least and the most. Only ratios count: they are of the same round. *By hand* is
what an application reaches that parses, runs and writes by the quickest means that we know, and does nothing else."""
COST = """Instructions per request, in thousands, median of {repeats} counts by {counted_by}; the kernel's by perf only.
Our service is counted without its two looks a second at models, keys and queues, and with its share in the sums for
Prometheus."""
RATES = f"Requests per second at {{}} connections, as a ratio to {TYPICAL}'s and to {CONTROL}'s with JSON:\n"


def section(found: Found, peers: Sequence[str]) -> str:
    """Write the section.

    Args:
        found: What was measured.
        peers: Everyone who is neither us nor a control, the typical one first.
    """
    sizes = "; ".join(f"{name} N = {n}, D = {d}, {m} queries" for name, (n, d, m) in SIZES.items())
    parts = [
        "## Serving\n",
        HOW.format(model=MODEL, sizes=sizes) + "\n\n![Processor time of one request](serving-cost.svg)\n",
        markdown(["goal", "bound", "measured", "by hand", ""], _goals(found, peers)),
        COST.format(repeats=REPEATS, counted_by=found.counted_by) + "\n",
        *(f"{model}:\n\n{markdown(['', '', *SIZES], _counts(found, model))}" for model in found.counts),
        f"Processor time of one request at {CONNECTIONS} connections, in µs, and of {CONTROL}'s with JSON:\n",
        markdown(["", "", *SIZES], _times(found)),
    ]
    for connections in dict.fromkeys(m.case.connections for m in found.loads if m.model == MODEL):
        parts += [
            RATES.format(connections),
            markdown(["", "", *SIZES], _rates(found, MODEL, connections)),
        ]
    parts += [
        f"The same with linear at {CONNECTIONS} connections:\n",
        markdown(["", "", *SIZES], _rates(found, "linear", CONNECTIONS)),
        f"Latency at {CONNECTIONS} connections, median and 99th percentile:\n",
        markdown(["", "", *SIZES], _latencies(found)),
        *(f"{name} did not take part: {reason}\n" for name, reason in found.skipped.items()),
        *_invalid(found),
    ]
    return "\n".join(parts)


def figure(found: Found) -> Figure:
    """Draw the processor time of one request, each contestant with each kind."""
    cost: dict[str, dict[str, float]] = {}
    for name, kind in _who(found, MODEL):
        spreads = {p: found.spread(MODEL, Case(name, kind, p, CONNECTIONS), "cpu") for p in SIZES}
        cost[label(name, kind)] = {p: spread.middle * 1e6 for p, spread in spreads.items() if spread}
    return bars(cost, "processor time of one request, µs", ours=[label(OURS, kind) for kind in ("json", "binary")])


def label(name: str, kind: str) -> str:
    """Name a contestant with a kind."""
    return name if kind == "json" else f"{name}, {kind}"


def _goals(found: Found, peers: Sequence[str]) -> Iterator[list[str]]:
    for goal in goals(found, peers):
        sign = "≤" if goal.at_most else "≥"
        by_hand = f"{short(goal.by_hand.middle)} by hand" if goal.by_hand else ""
        yield [goal.what, f"{sign} {goal.bound:g}", _cell(goal.measured), by_hand, verdict(goal.met)]


def _who(found: Found, model: str) -> list[tuple[str, str]]:
    """List contestants with their kinds, as they were measured."""
    return list(dict.fromkeys((m.case.contestant, m.case.kind) for m in found.loads if m.model == model))


def _counts(found: Found, model: str) -> Iterator[list[str]]:
    for name, kinds in found.counts[model].items():
        for kind, counts in kinds.items():
            yield [name, kind, *(short(median(counts[p]) / 1e3) if p in counts else "" for p in SIZES)]


def _times(found: Found) -> Iterator[list[str]]:
    for name, kind in _who(found, MODEL):
        cells = []
        for payload in SIZES:
            case, control = Case(name, kind, payload, CONNECTIONS), Case(CONTROL, "json", payload, CONNECTIONS)
            taken = found.spread(MODEL, case, "cpu")
            cells.append(
                f"{short(taken.middle * 1e6)} · {_cell(found.ratio(MODEL, case, control, 'cpu'))}" if taken else ""
            )
        yield [name, kind, *cells]


def _rates(found: Found, model: str, connections: int) -> Iterator[list[str]]:
    for name, kind in _who(found, model):
        cells = []
        for payload in SIZES:
            case = Case(name, kind, payload, connections)
            ratios = [
                _cell(found.ratio(model, case, Case(other, "json", payload, connections), "rate"))
                for other in (TYPICAL, CONTROL)
            ]
            cells.append(" · ".join(ratios) if any(ratios) else "")
        yield [name, kind, *cells]


def _latencies(found: Found) -> Iterator[list[str]]:
    for name, kind in _who(found, MODEL):
        cells = []
        for payload in SIZES:
            case = Case(name, kind, payload, CONNECTIONS)
            middle, tail = (found.spread(MODEL, case, what) for what in ("p50", "p99"))
            cells.append(f"{short(middle.middle * 1e3)} · {short(tail.middle * 1e3)} ms" if middle and tail else "")
        yield [name, kind, *cells]


def _invalid(found: Found) -> Iterator[str]:
    """Say which rounds do not count."""
    for measured in found.loads:
        for load in measured.rounds:
            if load.invalid:
                case = measured.case
                where = (
                    f"{case.contestant}, {case.kind}, {case.payload}, {case.connections} connections, {measured.model}"
                )
                yield f"One round does not count ({where}): {load.invalid}.\n"


def _cell(spread: Spread | None) -> str:
    return "" if spread is None else str(spread)
