"""The same load for all servers: wrk on a separate core, servers in turn, round by round."""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from benchmarks.processes import cpu_seconds, family
from benchmarks.serving.servers import Disqualified, Server, started
from benchmarks.serving.specs import ServerSpec, payload

SERVER_CORE, LOAD_CORE = 0, 1
PINNED = ("taskset", "--cpu-list", str(SERVER_CORE))
"""Command that keeps a server on its core."""
SCRIPT = Path(__file__).parent / "post.lua"
TIMEOUT = "60s"
"""Until wrk counts an answer as missing: longer than the longest queue."""
ANSWERS_PER_CONNECTION = 4
"""A run lasts until every connection has had so many answers, or for `MAX_RUN_SECONDS`."""
MAX_RUN_SECONDS = 3.0
WARM_UP_SECONDS = 0.2
"""Of a load on one connection before the first run with a payload, which measures the rate."""
MAX_QUEUE_SECONDS = 10.0
"""Longest wait for the first answer; beyond it, hardly any request is answered in a run."""


@dataclass(frozen=True)
class Load:
    """The figures of one run."""

    rate: float
    """Requests per second."""
    cpu: float
    """Seconds of processor time per request, of the server and all its processes, kernel included."""
    p50: float
    """Seconds until the answer, the median."""
    p99: float
    invalid: str
    """Why the figures are not valid, or empty."""

    @classmethod
    def without(cls, reason: str) -> "Load":
        """Return a run without figures, and the reason."""
        return cls(0.0, 0.0, 0.0, 0.0, reason)


def drive(server: Server, kind: str, name: str, connections: int, seconds: float) -> Load:
    """Load a server for a while, from another core."""
    form = server.spec.forms[kind]
    headers = {"Content-Type": form.content_type, **form.headers}
    with tempfile.NamedTemporaryFile() as body:
        body.write(form.write(payload(name), server.model))
        body.flush()
        command = ["taskset", "--cpu-list", str(LOAD_CORE), "wrk", "--threads", "1", "--connections", str(connections)]
        command += ["--duration", "1h", "--timeout", TIMEOUT, "--script", str(SCRIPT)]
        command += [f"http://127.0.0.1:{server.port}{form.path}", "--", body.name]
        command += [f"{key}: {text}" for key, text in headers.items()]
        before = cpu_seconds(server.process.pid)
        output = _interrupted(command, seconds)
        return parse(output, cpu_seconds(server.process.pid) - before)


def _interrupted(command: Sequence[str], seconds: float) -> str:
    """Run wrk for a while; its own duration is in whole seconds, and it reports after an interrupt too."""
    wrk = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    time.sleep(seconds)
    wrk.send_signal(signal.SIGINT)
    output, _ = wrk.communicate()
    return output


def parse(output: str, cpu: float) -> Load:
    """Read the output of wrk and its script.

    Args:
        output: One line of JSON at its end.
        cpu: Seconds of processor time of the server during the run.
    """
    report = json.loads(output.strip().splitlines()[-1])
    requests = report["requests"]
    wrong = {"refused": report["refused"], "broken": report["broken"], "answered": requests}
    reasons = [f"{wrong['refused']} answers were no 2xx"] * bool(wrong["refused"])
    reasons += [f"{wrong['broken']} connections broke"] * bool(wrong["broken"])
    reasons += ["nothing was answered"] * (not requests)
    return Load(requests / report["seconds"], cpu / max(requests, 1), report["p50"], report["p99"], ", ".join(reasons))


@dataclass(frozen=True)
class Case:
    """One server under one kind of load."""

    server: str
    kind: str
    payload: str
    connections: int


@dataclass(frozen=True)
class Times:
    """Rounds, and their length."""

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
    specs: Mapping[str, ServerSpec],
    model: str,
    cases: Sequence[Case],
    times: Times,
    skipped: dict[str, str],
) -> list[Measured]:
    """Start all servers, and load one at a time while the others are stopped.

    Args:
        specs: By name.
        model: Name of a file of the zoo.
        cases: In the order of a round.
        times: Rounds, and their length.
        skipped: Receives the reason for each server that cannot be measured.
    """
    names = list(dict.fromkeys(case.server for case in cases))
    with ExitStack() as running:
        servers = {}
        for name in names:
            try:
                servers[name] = _begin(running, specs[name], model, [c for c in cases if c.server == name])
            except Disqualified as error:
                skipped[name] = str(error)
                print(f"{name} is skipped: {error}", flush=True)
        found = [Measured(model, case) for case in cases if case.server in servers]
        rates: dict[tuple[str, str, str], float] = {}
        for number in range(times.rounds):
            print(f"{model}, round {number + 1} of {times.rounds}", flush=True)
            for measured in found:
                with continued(servers[measured.case.server]) as server:
                    measured.rounds.append(_run(server, measured.case, times.seconds, rates))
                    _drain(server, measured.case)
    return found


def _begin(running: ExitStack, spec: ServerSpec, model: str, cases: Sequence[Case]) -> Server:
    """Start a server, check its answers, and stop it."""
    server = running.enter_context(started(spec, model, PINNED))
    for kind, name in dict.fromkeys((case.kind, case.payload) for case in cases):
        server.check(kind, name)
    running.callback(_signal, server, signal.SIGCONT)
    _signal(server, signal.SIGSTOP)
    return server


def _run(server: Server, case: Case, seconds: float, rates: dict[tuple[str, str, str], float]) -> Load:
    """Load for as long as the last rate of the same payload requires; measure that rate before the first run."""
    same = (case.server, case.kind, case.payload)
    if same not in rates:
        rates[same] = drive(server, case.kind, case.payload, 1, WARM_UP_SECONDS).rate
    queue = case.connections / rates[same] if rates[same] else MAX_RUN_SECONDS
    if queue > MAX_QUEUE_SECONDS:
        return Load.without(f"each of {case.connections} requests would wait {queue:.0f} s for the others")
    load = drive(
        server,
        case.kind,
        case.payload,
        case.connections,
        min(max(seconds, ANSWERS_PER_CONNECTION * queue), MAX_RUN_SECONDS),
    )
    rates[same] = load.rate or rates[same]
    return load


def _drain(server: Server, case: Case) -> None:
    """Wait until the queue of a load is empty: one request more is answered after it."""
    with suppress(OSError, HTTPException, Disqualified):
        server.ask(case.kind, case.payload)


@contextmanager
def continued(server: Server) -> Iterator[Server]:
    """Continue a stopped server, and stop it again."""
    _signal(server, signal.SIGCONT)
    try:
        yield server
    finally:
        _signal(server, signal.SIGSTOP)


def _signal(server: Server, number: signal.Signals) -> None:
    for process in family(server.process.pid):
        with suppress(ProcessLookupError):
            os.kill(process, number)
