"""Instructions per request: a figure that repeats, independent of the load of the machine.

Counted by the processor where its counters are accessible (`perf stat`), else by callgrind, which runs the server on a
simulated processor, about thirty times slower, and counts user space but not the kernel.
"""

import collections
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from types import MappingProxyType

from benchmarks.models import ZOO
from benchmarks.processes import family
from benchmarks.results import Result, Table
from benchmarks.serving.servers import Server, drive, send, started
from benchmarks.serving.specs import CONNECTIONS, CONTROLS, FASTAPI, MODEL, OURS, SIZES, ServerSpec, has_program

REQUESTS = {"S": 30, "M": 16, "L": 3}
"""Of one count."""
REPEATS = 5
"""Counts of one figure, after one that is discarded; their median, because periodic work is in some of them."""
SLOW_PROCESSOR = MappingProxyType({"GDSSM_POLL_INTERVAL": "60", "GDSSM_INLINE_SECONDS": "0.1"})
"""Settings of our service on a processor that is thirty times slower: checks twice a second would be up to half of
all instructions, and requests that are computed in the event loop would be moved to a thread."""
SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n"
SCRAPED = 200
"""Requests whose metrics are summed in one scrape; at full load it is more of them."""


class Counter(ABC):
    """Counts the instructions of a server."""

    name: str
    before: tuple[str, ...] = ()
    """Command under which the server runs."""
    environment: Mapping[str, str] = MappingProxyType({})
    """Further environment variables."""

    @abstractmethod
    def count(self, server: Server, work: Callable[[], None]) -> int:
        """Count the instructions of the server during some work."""


class Perf(Counter):
    """The processor's own counters, kernel included."""

    name = "perf"

    def count(self, server: Server, work: Callable[[], None]) -> int:
        """Attach to every process of the server during the work."""
        attached = ",".join(str(process) for process in family(server.process.pid))
        command = ["perf", "stat", "--field-separator", ",", "--event", "instructions", "--pid", attached]
        perf = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603
        time.sleep(0.2)
        work()
        perf.send_signal(signal.SIGINT)
        _, text = perf.communicate()
        return int(text.strip().splitlines()[-1].split(",")[0])


class Callgrind(Counter):
    """Valgrind's, for a server of one process.

    Args:
        directory: For its profiles.
    """

    name = "callgrind"
    environment = MappingProxyType({"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-ERMS"})
    """Makes the C library copy by vectors: valgrind counts `rep movsb` as an instruction for each byte."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        out = f"--callgrind-out-file={directory}/%p"
        self.before = ("valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no", out)

    def count(self, server: Server, work: Callable[[], None]) -> int:
        """Set the count to zero, and dump it after the work."""
        _command(server, "instrumentation on", "zero")
        work()
        _command(server, "dump")
        newest = max(self._directory.glob(f"{server.process.pid}.*"), key=lambda path: int(path.suffix[1:]))
        total = re.search(r"^totals: (\d+)", newest.read_text(errors="replace"), re.MULTILINE)
        return int(total[1]) if total else 0


def _command(server: Server, *commands: str) -> None:
    """Send commands to callgrind, which reacts at once instead of after its usual tenth of a second."""
    each = (word for command in commands for word in ("-c", *command.split()))
    command = ["vgdb", f"--pid={server.process.pid}", "--max-invoke-ms=5", *each]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603


@contextmanager
def counter() -> Iterator[Counter | None]:
    """Choose the counter that works on this machine; None if there is none."""
    if _counters_exist():
        yield Perf()
    elif has_program("valgrind"):
        with tempfile.TemporaryDirectory() as name:
            yield Callgrind(Path(name))
    else:
        yield None


def _counters_exist() -> bool:
    if not shutil.which("perf"):
        return False
    command = ["perf", "stat", "--field-separator", ",", "--event", "instructions", "true"]
    attempt = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    return attempt.returncode == 0 and attempt.stderr.strip()[:1].isdigit()


def measure(
    spec: ServerSpec,
    model: str,
    by: Counter,
    kinds: Sequence[str] = ("json", "binary"),
    payloads: Sequence[str] = tuple(SIZES),
) -> dict[str, dict[str, list[float]]]:
    """Count the instructions of one request several times, for each kind that the server has and each payload.

    Raises:
        Disqualified: It does not start, or its answer is wrong.
    """
    with started(spec, model, by.before, {**SLOW_PROCESSOR, **by.environment}, timeout=180) as server:
        available = [kind for kind in kinds if kind in spec.forms]
        for kind in available:
            for name in payloads:
                server.check(kind, name)
        if spec.name == OURS.name:
            _wait_for_models(server)
        found = {kind: {name: _of_one(server, kind, name, by) for name in payloads} for kind in available}
        share = _of_sums(server, by) if spec.name == OURS.name else 0.0
        return {kind: {name: [count + share for count in of[name]] for name in of} for kind, of in found.items()}


def _wait_for_models(server: Server) -> None:
    """Wait until ours, which answers before its last model is loaded, has loaded all."""
    headers = {"Host": "here", **server.spec.forms["json"].headers}
    lines = ["GET /v1/models HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items()), "", ""]
    with server.connect() as connection:
        while len(json.loads(send(connection, "\r\n".join(lines).encode()))["models"]) < len(list(ZOO.glob("*.onnx"))):
            time.sleep(1)


def _of_sums(server: Server, by: Counter) -> float:
    """Return the share of one request in the sums for Prometheus: a scrape after many requests minus one after none."""
    request = server.request("json", "S")
    with server.connect() as connection:

        def scrape() -> None:
            send(connection, SCRAPE)

        shares = []
        for _ in range(REPEATS):
            scrape()
            none = by.count(server, scrape)
            for _ in range(SCRAPED):
                send(connection, request)
            shares.append((by.count(server, scrape) - none) / SCRAPED)
        return median(shares)


def _of_one(server: Server, kind: str, name: str, by: Counter) -> list[float]:
    request, requests = server.request(kind, name), REQUESTS[name]
    with server.connect() as connection:

        def work() -> None:
            for _ in range(requests):
                send(connection, request)

        _, *counts = (by.count(server, work) / requests for _ in range(1 + REPEATS))
        return counts


def run(*, quick: bool) -> Result:
    """Count the requests of all servers of one process; a quick run has ours and S only."""
    specs = (OURS,) if quick else (OURS, *CONTROLS, *FASTAPI)
    payloads = ["S"] if quick else list(SIZES)
    rows, numbers = [], {}
    with counter() as by:
        if by is None:
            raise SystemExit("Neither perf's counters nor valgrind are available.")
        for spec in specs:
            numbers[spec.name] = found = measure(spec, MODEL, by, payloads=payloads)
            for kind, counts in found.items():
                rows.append([spec.name, kind, *(f"{median(count) / 1e3:,.0f}" for count in counts.values())])
                print(rows[-1], flush=True)
    table = Table("", ["thousand instructions per request", "", *payloads], rows)
    return Result(title="Instructions per request", method=__doc__ or "", tables=[table], numbers=numbers)


PROFILE = """Processor time of a request by purpose: py-spy samples the service under load 500 times a second."""
SECONDS = 6
FILES_BY_PURPOSE: Mapping[str, tuple[str, ...]] = {
    "connection, HTTP, sending (uvicorn, asyncio)": ("uvicorn/", "/http_protocol.py", "asyncio/", "uvloop"),
    "FastAPI and Starlette": ("fastapi/", "starlette/", "contextlib"),
    "dispatch to the endpoint": ("/endpoint.py",),
    "admission: limits on requests, bytes, time": ("/admission.py",),
    "keys and rate limits": ("/access.py", "service/access/", "hmac"),
    "reading and checking the body": (
        "/body.py", "/json_arrays.py", "/fields.py", "/numbers.py", "/request.py", "/tensors.py",
        "/safetensors_bodies.py", "pydantic/", "safetensors/", "json/",
    ),
    "checks of sizes, finite answers": ("/predictor.py", "/checks.py", "numpy/"),
    "the model (onnxruntime) and its inputs": ("/runtime.py", "onnxruntime/", "/sizes.py"),
    "writing the answer": ("/routes/predict.py", "/representations.py"),
    "request id, log line, metrics": ("/observability.py", "service/observability/", "logging/", "prometheus_client/"),
    "event loop or thread": ("/executor.py", "concurrent/", "threading"),
}  # fmt: skip
"""Parts of the paths of files whose functions have a purpose; the first that matches."""
REST = "everything else"
IDLE = ("Condition.wait", "_worker (concurrent", "Queue.get", "select (selectors")
"""Innermost frames of threads that wait."""


def shares(stacks: Iterable[str]) -> dict[str, float]:
    """Add samples up by purpose of the innermost function.

    Args:
        stacks: Lines of py-spy's raw format: frames from the outermost in, with semicolons, and a number of samples.
    """
    counts = collections.Counter[str]()
    for line in stacks:
        frames, _, number = line.strip().rpartition(" ")
        innermost = frames.rsplit(";", 1)[-1]
        if not innermost.startswith(IDLE):
            counts[_purpose(innermost)] += int(number)
    return {purpose: counts[purpose] / counts.total() for purpose in (*FILES_BY_PURPOSE, REST) if counts[purpose]}


def _purpose(frame: str) -> str:
    where = frame.rpartition("(")[2]
    return next((purpose for purpose, files in FILES_BY_PURPOSE.items() if any(part in where for part in files)), REST)


def sample(payload: str, seconds: float = SECONDS) -> dict[str, float]:
    """Sample the service while it answers one payload: microseconds of processor time by purpose."""
    with started(OURS, MODEL) as server, tempfile.NamedTemporaryFile() as raw:
        cpu = drive(server, "json", payload, CONNECTIONS, seconds / 2).cpu
        command = [str(Path(sys.executable).with_name("py-spy")), "record", "--rate", "500", "--format", "raw"]
        command += ["--duration", f"{seconds:g}", "--output", raw.name, "--pid", str(server.process.pid)]
        spy = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        time.sleep(0.5)
        drive(server, "json", payload, CONNECTIONS, seconds)
        spy.wait()
        parts = shares(Path(raw.name).read_text().splitlines())
    return {purpose: share * cpu * 1e6 for purpose, share in parts.items()}


def profile(*, quick: bool) -> Result:
    """Measure and report."""
    return profile_report({payload: sample(payload, 1 if quick else SECONDS) for payload in SIZES})


def profile_report(found: Mapping[str, Mapping[str, float]]) -> Result:
    """Lay out the microseconds of each payload by purpose."""
    purposes = (*FILES_BY_PURPOSE, REST)
    rows = [[name, *(_cell(of.get(name, 0), sum(of.values())) for of in found.values())] for name in purposes]
    rows.append(["**all**", *(f"{sum(of.values()):.0f} µs" for of in found.values())])
    return Result(
        title="Profile of a request",
        method=f"{PROFILE}\n\nBy the file of the innermost function; {MODEL}, JSON, {CONNECTIONS} connections.",
        tables=[Table("", ["", *found], rows)],
        numbers={"microseconds": found},
    )


def _cell(microseconds: float, of: float) -> str:
    return f"{microseconds:.0f} µs ({microseconds / of:.0%})"
