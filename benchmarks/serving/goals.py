"""What was to be reached, and whether it was."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.serving.found import Found, Spread
from benchmarks.serving.rounds import Case

MODEL = "gd-1"
CONNECTIONS = 32
OURS = "gdssm"
TYPICAL = "fastapi_async"
LEAST = (("S", "json", 4.0), ("L", "json", 10.0), ("L", "binary", 50.0))
"""Payload, our kind, and how many times less than a peer with its JSON we shall take."""
BY_HAND = {"json": "simd_app", "binary": "binary_app"}
"""The quickest that we know by hand, and nothing else, for each of our kinds."""
LEAST_OF_TYPICAL = 2.5
"""The same for S, beside what one writes in ten minutes."""


@dataclass(frozen=True)
class Goal:
    """One figure and its bound."""

    what: str
    bound: float
    at_most: bool
    measured: Spread | None
    """None if it could not be measured."""
    by_hand: Spread | None = None
    """What an application by hand reaches; None where that says nothing."""

    @property
    def met(self) -> bool | None:
        """Hold the median of the rounds against the bound."""
        if self.measured is None:
            return None
        return self.measured.middle <= self.bound if self.at_most else self.measured.middle >= self.bound


def goals(found: Found, peers: Sequence[str]) -> list[Goal]:
    """Hold everything against its bound.

    Args:
        found: What was measured.
        peers: Everyone who is neither us nor a control.
    """
    return [*_by_hand(found), *(goal for peer in peers for goal in _peer(found, peer)), *_tails(found)]


def _by_hand(found: Found) -> Iterator[Goal]:
    """Instructions beside what does the same work and nothing else."""
    for payload, kind, control, bound in (
        ("S", "json", "orjson_app", 1.5),
        ("M", "json", "orjson_app", 0.6),
        ("L", "json", "orjson_app", 0.4),
        ("L", "binary", "binary_app", 1.5),
    ):
        what = f"{payload} {kind}: instructions, of {control}'s"
        ours, best = (
            None if who == control else found.count_ratio(MODEL, (who, kind), (control, kind), payload)
            for who in (OURS, BY_HAND[kind])
        )
        yield Goal(what, bound, at_most=True, measured=ours, by_hand=best)


def _peer(found: Found, peer: str) -> Iterator[Goal]:
    """Instructions, or processor time where they cannot be counted, and requests per second beside a peer."""
    for payload, kind, least in LEAST:
        bound = LEAST_OF_TYPICAL if (peer, payload) == (TYPICAL, "S") else least
        who = OURS, BY_HAND[kind]
        theirs = Case(peer, "json", payload, CONNECTIONS)
        counted = [found.count_ratio(MODEL, (peer, "json"), (one, kind), payload) for one in who]
        cases = [Case(one, kind, payload, CONNECTIONS) for one in who]
        times = [found.ratio(MODEL, theirs, case, "cpu") for case in cases]
        rates = [found.ratio(MODEL, case, theirs, "rate") for case in cases]
        unit, cost = ("instructions", counted) if counted[0] else ("processor time", times)
        yield Goal(f"{payload} {kind}: {peer}'s {unit}, of ours", bound, False, *cost)
        yield Goal(f"{payload} {kind}: our requests/s, of {peer}'s", bound, False, *rates)


def tails() -> list[Case]:
    """List the cases whose slowest answers are held against their median."""
    return [Case(OURS, kind, payload, CONNECTIONS) for kind in ("json", "binary") for payload in ("S", "M", "L")]


def _tails(found: Found) -> Iterable[Goal]:
    for case in tails():
        what = f"{case.payload} {case.kind}: p99 of the latency, of its median"
        yield Goal(what, 3.0, at_most=True, measured=found.tail(MODEL, case))
