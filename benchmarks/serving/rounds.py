"""Everybody in turn, again and again: what changes on the machine meanwhile changes everybody's figures alike."""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException

from benchmarks.serving.contestants import Contestant
from benchmarks.serving.load import SERVER_CORE, Load, drive
from benchmarks.serving.processes import family
from benchmarks.serving.servers import Disqualified, Server, started

FILLED = 4
"""A run lasts until every connection has had so many answers, or for `LONGEST`."""
LONGEST = 3.0
"""Seconds."""
WARM_UP = 0.2
"""Seconds of a load on one connection before the first run with a payload, to learn the rate."""
TOO_LONG = 10.0
"""Seconds that a request may wait behind the others for its first answer; beyond, hardly any is answered in a run."""


@dataclass(frozen=True)
class Case:
    """What is measured of one contestant at a time."""

    contestant: str
    kind: str
    payload: str
    connections: int


@dataclass(frozen=True)
class Times:
    """How much is measured."""

    rounds: int = 3
    seconds: float = 0.5
    """Of one run, at least."""


@dataclass
class Measured:
    """All rounds of one case with one model."""

    model: str
    case: Case
    rounds: list[Load] = field(default_factory=list)


def measure(
    contestants: Mapping[str, Contestant],
    model: str,
    cases: Sequence[Case],
    times: Times,
    skipped: dict[str, str],
) -> list[Measured]:
    """Start everybody, and load them one at a time while the others stand still.

    Args:
        contestants: By name.
        model: Name of a file of the zoo.
        cases: What is measured, in this order.
        times: How often and how long.
        skipped: Gets the reason for everyone who cannot take part.
    """
    names = list(dict.fromkeys(case.contestant for case in cases))
    with ExitStack() as running:
        servers = {}
        for name in names:
            try:
                servers[name] = _begin(running, contestants[name], model, [c for c in cases if c.contestant == name])
            except Disqualified as error:
                skipped[name] = str(error)
                print(f"{name} is skipped: {error}", flush=True)
        found = [Measured(model, case) for case in cases if case.contestant in servers]
        rates: dict[tuple[str, str, str], float] = {}
        for number in range(times.rounds):
            print(f"{model}, round {number + 1} of {times.rounds}", flush=True)
            for measured in found:
                with awake(servers[measured.case.contestant]) as server:
                    measured.rounds.append(_run(server, measured.case, times.seconds, rates))
                    _drain(server, measured.case)
    return found


def _begin(running: ExitStack, contestant: Contestant, model: str, cases: Sequence[Case]) -> Server:
    """Start a contestant, hold its answers to the reference, and let it stand still."""
    server = running.enter_context(started(contestant, model, ("taskset", "--cpu-list", str(SERVER_CORE))))
    for kind, payload in dict.fromkeys((case.kind, case.payload) for case in cases):
        server.check(kind, payload)
    running.callback(_signal, server, signal.SIGCONT)
    _signal(server, signal.SIGSTOP)
    return server


def _run(server: Server, case: Case, seconds: float, rates: dict[tuple[str, str, str], float]) -> Load:
    """Load for as long as the last rate of the same payload asks for; at the very first, find that out."""
    same = (case.contestant, case.kind, case.payload)
    if same not in rates:
        rates[same] = drive(server, case.kind, case.payload, 1, WARM_UP).rate
    queue = case.connections / rates[same] if rates[same] else LONGEST
    if queue > TOO_LONG:
        return Load.without(f"each of {case.connections} requests would wait {queue:.0f} s for the others")
    load = drive(server, case.kind, case.payload, case.connections, min(max(seconds, FILLED * queue), LONGEST))
    rates[same] = load.rate or rates[same]
    return load


def _drain(server: Server, case: Case) -> None:
    """Wait for what a load has left in the queue: one request more is answered after all of that."""
    with suppress(OSError, HTTPException, Disqualified):
        server.ask(case.kind, case.payload)


@contextmanager
def awake(server: Server) -> Iterator[Server]:
    """Let a server run for as long as it is measured."""
    _signal(server, signal.SIGCONT)
    try:
        yield server
    finally:
        _signal(server, signal.SIGSTOP)


def _signal(server: Server, number: signal.Signals) -> None:
    for process in family(server.process.pid):
        with suppress(ProcessLookupError):
            os.kill(process, number)
