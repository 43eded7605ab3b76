"""A running server: started in a new session, its answers compared with the model's, its processes ended."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from types import MappingProxyType

import numpy as np

from benchmarks.models import model_file, runtime_of
from benchmarks.processes import cpu_seconds, family
from benchmarks.serving.specs import ROOT, Array, Form, Payload, ServerSpec, payload

GRACE_SECONDS = 5.0
"""Between SIGTERM and SIGKILL."""
TOLERANCE = 1e-6
"""Largest difference to the reference, relative to the largest prediction."""


class Disqualified(Exception):
    """A server did not start, did not answer, or answered wrong."""


@dataclass(frozen=True)
class Server:
    """A running server, at a port of this machine."""

    spec: ServerSpec
    model: str
    port: int
    process: "subprocess.Popen[bytes]"
    seconds: float = 0.0
    """From the start of the process to the first right answer."""

    def request(self, kind: str, name: str) -> bytes:
        """Write a request for the prediction of a payload, headers and all."""
        form = self.spec.forms[kind]
        return self._written(form, form.path, form.write(payload(name), self.model))

    def post(self, path: str, value: object) -> bytes:
        """Write a request with a value as its JSON body."""
        return self._written(self.spec.forms["json"], path, json.dumps(value).encode())

    def _written(self, form: Form, path: str, body: bytes) -> bytes:
        headers = {
            "Host": f"127.0.0.1:{self.port}",
            "Content-Type": form.content_type,
            "Content-Length": str(len(body)),
        }
        lines = [f"POST {path} HTTP/1.1", *(f"{key}: {text}" for key, text in {**headers, **form.headers}.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def ask(self, kind: str, name: str) -> Array:
        """Ask once for the prediction of a payload.

        Raises:
            OSError: There is no answer.
            Disqualified: The answer is no prediction.
        """
        with self.connect() as connection:
            return self.spec.forms[kind].read(send(connection, self.request(kind, name)))

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=120)

    def check(self, kind: str, name: str) -> None:
        """Compare its answer with that of the model file.

        Raises:
            Disqualified: They differ.
        """
        expected, found = reference(self.model, payload(name)), self.ask(kind, name)
        wrong = found.shape != expected.shape or np.abs(found - expected).max() > TOLERANCE * np.abs(expected).max()
        if wrong and self.spec.name != "bare":
            raise Disqualified(f"{self.spec.name} answers {found} instead of {expected}.")


def send(connection: socket.socket, request: bytes, status: int = 200) -> bytes:
    """Send one request, in one piece, and read its answer.

    Raises:
        OSError: The connection broke.
        Disqualified: The status is another.
    """
    connection.sendall(request)
    with HTTPResponse(connection, method="POST") as answer:
        answer.begin()
        content = answer.read()
    if answer.status != status:
        raise Disqualified(f"answers {answer.status}: {content[:500]!r}")
    return content


def reference(model: str, sample: Payload) -> Array:
    """Predict with the service's own runtime, in this process: (M,)."""
    runtime = runtime_of(model)
    tensors = {"x": sample.x[None], "y": sample.y[None, :, None], "x_query": sample.query[None]}
    return runtime.run(tensors)["prediction"][0, :, 0].astype(np.float64)


@contextmanager
def started(
    spec: ServerSpec,
    model: str,
    before: Sequence[str] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
    timeout: float = 60,
) -> Iterator[Server]:
    """Start a server on a free port, wait until it answers, and end it and all its children after use.

    Args:
        spec: The server.
        model: Name of a file of the zoo.
        before: A command to run it under, such as `taskset -c 0`.
        environment: Further variables.
        timeout: Seconds until it has to answer.

    Raises:
        Disqualified: It does not start.
    """
    with tempfile.TemporaryDirectory(prefix=f"{spec.name}-") as name, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        directory = Path(name)
        spec, prepared = spec.prepared(directory)
        arguments = [argument.format(port=port) for argument in spec.arguments]
        variables = {
            **os.environ,
            "MODEL_FILE": str(model_file(model)),
            "PORT": str(port),
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": "0",
            "ORT_DISABLE_TELEMETRY": "1",
            **prepared,
            **environment,
        }
        with (directory / "log").open("wb") as log:
            begun = time.monotonic()
            process = subprocess.Popen(  # noqa: S603
                [*before, spec.python, *arguments],
                cwd=directory,
                env=variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            server = Server(spec, model, port, process)
            try:
                _wait(server, directory / "log", timeout)
                yield replace(server, seconds=time.monotonic() - begun)
            finally:
                end(process)


def _wait(server: Server, log: Path, timeout: float) -> None:
    """Ask until it answers."""
    deadline, kind = time.monotonic() + timeout, next(iter(server.spec.forms))
    while True:
        try:
            server.ask(kind, "S")
        except (OSError, HTTPException, Disqualified) as error:
            if server.process.poll() is not None or time.monotonic() > deadline:
                text = log.read_text(errors="replace")[-2000:]
                raise Disqualified(f"{server.spec.name} does not start ({error}): {text}") from error
            time.sleep(0.02)
        else:
            return


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a server and its children: by SIGTERM, then by SIGKILL."""
    children = family(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    for child in {*children, *family(process.pid)}:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    process.wait()


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
    url = f"http://127.0.0.1:{server.port}{form.path}"
    headers = {"Content-Type": form.content_type, **form.headers}
    body, pinned = form.write(payload(name), server.model), ("taskset", "--cpu-list", str(LOAD_CORE))
    before = cpu_seconds(server.process.pid)
    (report,) = wrk([(url, connections)], body, headers, seconds, pinned)
    return load_of(report, cpu_seconds(server.process.pid) - before)


def wrk(
    targets: Sequence[tuple[str, int]],
    body: bytes,
    headers: Mapping[str, str],
    seconds: float,
    before: Sequence[str] = (),
) -> list[dict[str, float]]:
    """Send one body again and again for a while; wrk's own durations are whole seconds, and an interrupt ends it too.

    Args:
        targets: Addresses, and the connections to each.
        body: Of each request.
        headers: Of each request.
        seconds: How long.
        before: A command to run wrk under, such as `taskset -c 1`.

    Returns:
        What `post.lua` reports, for each address.
    """
    lines = [f"{key}: {text}" for key, text in headers.items()]
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        command = [*before, "wrk", "--threads", "1", "--duration", "1h", "--timeout", TIMEOUT, "--script", str(SCRIPT)]
        processes = [
            subprocess.Popen(  # noqa: S603
                [*command, "--connections", str(count), url, "--", file.name, *lines], stdout=subprocess.PIPE, text=True
            )
            for url, count in targets
        ]
        time.sleep(seconds)
        for process in processes:
            process.send_signal(signal.SIGINT)
        outputs = [process.communicate()[0] for process in processes]
    return [json.loads(output.strip().splitlines()[-1]) for output in outputs]


def load_of(report: Mapping[str, float], cpu: float) -> Load:
    """Return the figures of one run.

    Args:
        report: What `post.lua` reports.
        cpu: Seconds of processor time of the server during the run.
    """
    requests, refused, broken = report["requests"], report["refused"], report["broken"]
    reasons = [f"{refused:g} answers were no 2xx"] * bool(refused)
    reasons += [f"{broken:g} connections broke"] * bool(broken)
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
