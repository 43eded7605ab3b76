"""Processor time of a request by purpose: py-spy samples the service under load 500 times a second."""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.results import Result, Table
from benchmarks.serving.load import drive
from benchmarks.serving.measurements import CONNECTIONS, MODEL
from benchmarks.serving.servers import started
from benchmarks.serving.specs import OURS

PAYLOADS = ("S", "M", "L")
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
    counts: Counter[str] = Counter()
    for line in stacks:
        frames, _, number = line.strip().rpartition(" ")
        innermost = frames.rsplit(";", 1)[-1]
        if not innermost.startswith(IDLE):
            counts[_purpose(innermost)] += int(number)
    return {purpose: counts[purpose] / counts.total() for purpose in (*FILES_BY_PURPOSE, REST) if counts[purpose]}


def _purpose(frame: str) -> str:
    where = frame.rpartition("(")[2]
    return next((purpose for purpose, files in FILES_BY_PURPOSE.items() if any(part in where for part in files)), REST)


def measure(payload: str, seconds: float = SECONDS) -> dict[str, float]:
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


def run(*, quick: bool) -> Result:
    """Measure and report."""
    return report({payload: measure(payload, 1 if quick else SECONDS) for payload in PAYLOADS})


def report(found: Mapping[str, Mapping[str, float]]) -> Result:
    """Lay out the microseconds of each payload by purpose."""
    purposes = (*FILES_BY_PURPOSE, REST)
    rows = [[name, *(_cell(of.get(name, 0), sum(of.values())) for of in found.values())] for name in purposes]
    rows.append(["**all**", *(f"{sum(of.values()):.0f} µs" for of in found.values())])
    return Result(
        title="Profile of a request",
        method=f"{__doc__}\n\nBy the file of the innermost function; {MODEL}, JSON, {CONNECTIONS} connections.",
        tables=[Table("", ["", *found], rows)],
        numbers={"microseconds": found},
    )


def _cell(microseconds: float, of: float) -> str:
    return f"{microseconds:.0f} µs ({microseconds / of:.0%})"
