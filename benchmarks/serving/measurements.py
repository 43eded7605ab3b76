"""The measurements of serving, ratios within them, round by round as a machine drifts, and the goals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from benchmarks.results import Goal, short
from benchmarks.serving.load import Case, Measured

MODEL = "gd-1"
CONNECTIONS = 32
OURS = "gdssm"
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
        ours, theirs = (Case(name, "json", payload, CONNECTIONS) for name in (OURS, HAND_WRITTEN))
        measured = found.ratio(MODEL, ours, theirs, "cpu")
        fastest = found.ratio(MODEL, Case(FASTEST["json"], "json", payload, CONNECTIONS), theirs, "cpu")
        measure = f"{payload} json: processor time ÷ {HAND_WRITTEN}'s"
        yield _goal(measure, target, measured, fastest, at_most=True, reason=REASONS["cpu"])


def tails() -> list[Case]:
    """List the cases whose 99th percentile is compared with their median."""
    return [Case(OURS, kind, payload, CONNECTIONS) for kind in ("json", "binary") for payload in ("S", "M", "L")]


def _instructions(found: ServingMeasurements) -> Iterator[Goal]:
    for payload, kind, control, target in INSTRUCTION_TARGETS:
        ours, fastest = (
            None if name == control else found.count_ratio(MODEL, (name, kind), (control, kind), payload)
            for name in (OURS, FASTEST[kind])
        )
        reason = REASONS.get(f"{payload} {kind}", REASONS[payload])
        measure = f"{payload} {kind}: instructions ÷ {control}'s"
        yield _goal(measure, target, ours, fastest, at_most=True, reason=reason)


def _peer(found: ServingMeasurements, peer: str) -> Iterator[Goal]:
    """Compare instructions, or processor time where they cannot be counted, and requests per second with a peer's."""
    for payload, kind, least in PEER_TARGETS:
        target = TYPICAL_TARGET if (peer, payload) == (TYPICAL, "S") else least
        names = OURS, FASTEST[kind]
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
