"""Serving: our service, hand-written servers and peers on the same model file, one worker on one core."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from statistics import median

from matplotlib.figure import Figure

from benchmarks.plots import bars, render
from benchmarks.results import Goal, Result, Table, short
from benchmarks.serving.instructions import REPEATS, Counter, counter
from benchmarks.serving.instructions import measure as count
from benchmarks.serving.servers import Case, Disqualified, Measured, Times, measure
from benchmarks.serving.specs import (
    CONNECTIONS,
    CONTROLS,
    FASTAPI,
    MODEL,
    OTHERS,
    OURS,
    SIZES,
    ServerSpec,
    has_program,
    installed,
)

HAND_WRITTEN = "orjson_app"
"""Parses, runs the model and writes, and does nothing else."""
TYPICAL = "fastapi_async"
CPU_TARGETS = {"S": 1.6, "M": 1.2, "L": 0.6}
"""Processor time of our JSON request ÷ the hand-written server's, at most."""
INSTRUCTION_TARGETS = (
    ("S", "json", HAND_WRITTEN, 1.5),
    ("M", "json", HAND_WRITTEN, 0.6),
    ("L", "json", HAND_WRITTEN, 0.4),
    ("L", "binary", "binary_app", 1.5),
)
"""Payload, our kind, control, and instructions of ours ÷ the control's, at most."""
PEER_TARGETS = (("S", "json", 4.0), ("L", "json", 10.0), ("L", "binary", 50.0))
"""Payload, our kind, and the cost of a peer with JSON ÷ ours, at least."""
TYPICAL_TARGET = 2.5
"""The same for S and the typical FastAPI service."""
TAIL_TARGET = 3.0
"""99th percentile of the latency ÷ its median, at most."""
FASTEST = {"json": "simd_app", "binary": "binary_app"}
"""The fastest hand-written application for each of our kinds, whose figure is shown with each goal."""
MANY_DUTIES = (
    "A request is authenticated, limited, timed, checked, logged and counted; the hand-written server does not."
)
SHARED_COST = "The model's run and uvicorn are more than a third of our time, and the peer has them too."
REASONS = {
    "cpu": MANY_DUTIES,
    "S": MANY_DUTIES,
    "M": "The same duties, for a body of 25 KB.",
    "L": "The hand-written server does not check that rows have one width, nor that no list is nested in one.",
    "L binary": "The control reads an unnamed body; ours checks names, types and shapes of safetensors.",
    "instructions": "The fastest hand-written application is not far from our figure.",
    "processor time": SHARED_COST,
    "requests/s": SHARED_COST,
    "p99": "Requests that coincide with the periodic checks, twice a second, are more than one in a hundred.",
}
Counts = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]
"""Instructions of one request, by server, kind and payload; each was counted some times."""


@dataclass(frozen=True)
class Spread:
    """Median, least and largest of one figure over rounds."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """Summarise some rounds; None for no rounds."""
        return cls(median(values), min(values), max(values)) if values else None

    def __str__(self) -> str:
        middle, least, most = map(short, (self.middle, self.least, self.most))
        return middle if least == most else f"{middle} ({least}–{most})"


@dataclass(frozen=True)
class ServingMeasurements:
    """Everything that one run has measured."""

    loads: Sequence[Measured]
    counts: Mapping[str, Counts]
    """By model."""
    counted_by: str
    """The counter of the instructions, or why there is none."""
    skipped: Mapping[str, str]
    """Servers that were not measured, and the reasons."""

    def to_dict(self) -> dict[str, object]:
        """Return it for JSON."""
        return asdict(self)

    def rounds(self, model: str, case: Case, what: str) -> list[float | None]:
        """Return one figure of every round, None where the round was not valid.

        Args:
            model: Name of a file of the zoo.
            case: Server and load.
            what: Name of a field of `Load`.
        """
        found = (measured.rounds for measured in self.loads if (measured.model, measured.case) == (model, case))
        return [None if load.invalid else getattr(load, what) for load in next(found, [])]

    def spread(self, model: str, case: Case, what: str) -> Spread | None:
        """Summarise one figure over all valid rounds."""
        return Spread.of([value for value in self.rounds(model, case, what) if value is not None])

    def ratio(self, model: str, above: Case, below: Case, what: str) -> Spread | None:
        """Divide one figure of two cases, round by round."""
        return _quotient(self.rounds(model, above, what), self.rounds(model, below, what))

    def tail(self, model: str, case: Case) -> Spread | None:
        """Divide the 99th percentile of the latency by its median, round by round."""
        return _quotient(self.rounds(model, case, "p99"), self.rounds(model, case, "p50"))

    def count(self, model: str, server: str, kind: str, payload: str) -> Sequence[float]:
        """Return all counts of the instructions of one request; empty if there are none."""
        return self.counts.get(model, {}).get(server, {}).get(kind, {}).get(payload, ())

    def count_ratio(self, model: str, above: tuple[str, str], below: tuple[str, str], payload: str) -> Spread | None:
        """Divide the instructions of one request of two servers, each given with its kind."""
        return _quotient(self.count(model, *above, payload), self.count(model, *below, payload))


def _quotient(above: Sequence[float | None], below: Sequence[float | None]) -> Spread | None:
    """Divide round by round, where both have a figure."""
    return Spread.of([one / other for one, other in zip(above, below, strict=False) if one is not None and other])


def goals(found: ServingMeasurements, peers: Sequence[str]) -> list[Goal]:
    """Compare everything with its target.

    Args:
        found: The measurements.
        peers: All servers that are neither ours nor controls.
    """
    by_peer = (goal for peer in peers for goal in _peer(found, peer))
    return [*cpu_goals(found), *_instructions(found), *by_peer, *_tails(found)]


def cpu_goals(found: ServingMeasurements) -> Iterator[Goal]:
    """Compare processor time per request with the hand-written server's, within one run."""
    for payload, target in CPU_TARGETS.items():
        ours, theirs = (Case(name, "json", payload, CONNECTIONS) for name in (OURS.name, HAND_WRITTEN))
        measured = found.ratio(MODEL, ours, theirs, "cpu")
        fastest = found.ratio(MODEL, Case(FASTEST["json"], "json", payload, CONNECTIONS), theirs, "cpu")
        measure = f"{payload} json: processor time ÷ {HAND_WRITTEN}'s"
        yield _goal(measure, target, measured, fastest, at_most=True, reason=REASONS["cpu"])


def tails() -> list[Case]:
    """List the cases whose 99th percentile is compared with their median."""
    return [Case(OURS.name, kind, payload, CONNECTIONS) for kind in ("json", "binary") for payload in ("S", "M", "L")]


def _instructions(found: ServingMeasurements) -> Iterator[Goal]:
    for payload, kind, control, target in INSTRUCTION_TARGETS:
        ours, fastest = (
            None if name == control else found.count_ratio(MODEL, (name, kind), (control, kind), payload)
            for name in (OURS.name, FASTEST[kind])
        )
        reason = REASONS.get(f"{payload} {kind}", REASONS[payload])
        measure = f"{payload} {kind}: instructions ÷ {control}'s"
        yield _goal(measure, target, ours, fastest, at_most=True, reason=reason)


def _peer(found: ServingMeasurements, peer: str) -> Iterator[Goal]:
    """Compare instructions, or processor time where they cannot be counted, and requests per second with a peer's."""
    for payload, kind, least in PEER_TARGETS:
        target = TYPICAL_TARGET if (peer, payload) == (TYPICAL, "S") else least
        names = OURS.name, FASTEST[kind]
        theirs = Case(peer, "json", payload, CONNECTIONS)
        counted = [found.count_ratio(MODEL, (peer, "json"), (name, kind), payload) for name in names]
        cases = [Case(name, kind, payload, CONNECTIONS) for name in names]
        times = [found.ratio(MODEL, theirs, case, "cpu") for case in cases]
        rates = [found.ratio(MODEL, case, theirs, "rate") for case in cases]
        unit, cost = ("instructions", counted) if counted[0] else ("processor time", times)
        yield _goal(f"{payload} {kind}: {peer}'s {unit} ÷ ours", target, *cost, at_most=False, reason=REASONS[unit])
        measure = f"{payload} {kind}: our requests/s ÷ {peer}'s"
        yield _goal(measure, target, *rates, at_most=False, reason=REASONS["requests/s"])


def _tails(found: ServingMeasurements) -> Iterator[Goal]:
    for case in tails():
        measure = f"{case.payload} {case.kind}: p99 of the latency ÷ its median"
        yield _goal(measure, TAIL_TARGET, found.tail(MODEL, case), None, at_most=True, reason=REASONS["p99"])


def _goal(
    measure: str, target: float, measured: Spread | None, fastest: Spread | None, *, at_most: bool, reason: str
) -> Goal:
    """Compare the median of the rounds with the target."""
    met = None
    if measured is not None:
        met = measured.middle <= target if at_most else measured.middle >= target
    shown = "" if measured is None else str(measured)
    by_hand = f"; {short(fastest.middle)} by hand" if fastest else ""
    return Goal(measure, f"{'≤' if at_most else '≥'} {target:g}", f"{shown}{by_hand}", met, reason)


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
    return bars(cost, "processor time of one request, µs", ours=[label(OURS.name, kind) for kind in ("json", "binary")])


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


PARALLEL_COUNTS = 2
"""Counts do not depend on the load of the machine; times would."""


@dataclass(frozen=True)
class Grid:
    """The payloads, connections and rounds that are measured."""

    payloads: Sequence[str] = ("S", "M", "L")
    heavy_payloads: Sequence[str] = ("S", "L")
    """For servers with a separate environment."""
    connections: Sequence[int] = (1, 32, 128)
    further_connections: Sequence[int] = (32,)
    """For models after the first."""
    times: Times = field(default_factory=Times)
    further_times: Times = field(default_factory=lambda: Times(rounds=3, seconds=3.0))
    """Of the latency of ours; so long that the first answers of a run are not among the slowest hundredth."""
    models: Sequence[str] = (MODEL, "linear")

    def cases(self, light: Iterable[ServerSpec], heavy: Iterable[ServerSpec]) -> list[Case]:
        """List the cases of the first model."""
        return [
            *_cases(light, self.payloads, self.connections),
            *_cases(heavy, self.heavy_payloads, self.connections),
        ]

    def further_cases(self, light: Iterable[ServerSpec]) -> list[Case]:
        """List the cases of any other model."""
        return list(_cases(light, self.payloads, self.further_connections))


def _cases(specs: Iterable[ServerSpec], payloads: Sequence[str], connections: Sequence[int]) -> Iterator[Case]:
    for spec in specs:
        for kind in spec.forms:
            for payload in payloads:
                for number in connections:
                    yield Case(spec.name, kind, payload, number)


QUICK = Grid(("S",), ("S",), (32,), times=Times(1, 0.2), further_times=Times(1, 0.2), models=(MODEL,))


def run(*, quick: bool) -> Result:
    """Measure and report; a quick run has no peers with a separate environment, and counts no instructions."""
    skipped: dict[str, str] = {}
    grid, light = QUICK if quick else Grid(), (OURS, *CONTROLS, *FASTAPI)
    heavy = [] if quick else installed(OTHERS, skipped)
    loads = loaded(light, heavy, grid, skipped)
    counts: dict[str, Counts] = {}
    counted_by = "nothing"
    if not quick:
        with counter() as by:
            names = {model: light if model == MODEL else (OURS, *CONTROLS) for model in grid.models}
            counts = {model: counted(names[model], model, by, grid) for model in grid.models} if by else {}
            counted_by = by.name if by else "nothing: neither perf's counters nor valgrind are available"
    found = ServingMeasurements(loads, counts, counted_by, skipped)
    return report(found, [spec.name for spec in (*FASTAPI, *OTHERS)])


def loaded(
    light: Sequence[ServerSpec], heavy: Sequence[ServerSpec], grid: Grid, skipped: dict[str, str]
) -> list[Measured]:
    """Load all servers with the first model, and the light ones with the others too."""
    if not has_program("wrk"):
        skipped["wrk"] = "it is not installed, and apt-get could not install it"
        return []
    first, *others = grid.models
    specs = {spec.name: spec for spec in (*light, *heavy)}
    found = measure(specs, first, grid.cases(light, heavy), grid.times, skipped)
    own = [case for case in tails() if case.payload in grid.payloads]
    for further in measure(specs, first, own, grid.further_times, skipped):
        next(measured for measured in found if measured.case == further.case).rounds.extend(further.rounds)
    for model in others:
        found += measure(specs, model, grid.further_cases(light), grid.times, skipped)
    if OURS.name in skipped:
        raise SystemExit(f"There is nothing to compare: {skipped[OURS.name]}")
    return found


def counted(light: Sequence[ServerSpec], model: str, by: Counter, grid: Grid) -> Counts:
    """Count the instructions of every server of one process."""

    def one(spec: ServerSpec) -> dict[str, dict[str, list[float]]]:
        try:
            return count(spec, model, by, payloads=grid.payloads)
        except Disqualified as error:
            print(f"{spec.name} is not counted: {error}", flush=True)
            return {}

    with ThreadPoolExecutor(PARALLEL_COUNTS) as pool:
        found = list(pool.map(one, light))
    return {spec.name: counts for spec, counts in zip(light, found, strict=True) if counts}
