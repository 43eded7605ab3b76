"""Where the time of a request goes: the service under load, looked at 500 times a second by py-spy.

python -m benchmarks.serving.profiling --out DIR
"""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.results import parse_out, write
from benchmarks.serving.contestants import OURS
from benchmarks.serving.goals import CONNECTIONS, MODEL
from benchmarks.serving.load import drive
from benchmarks.serving.servers import started
from benchmarks.table import markdown

PAYLOADS = ("S", "M", "L")
SECONDS = 6
ROOMS: Mapping[str, tuple[str, ...]] = {
    "connection, HTTP, sending (uvicorn, asyncio)": ("uvicorn/", "service/server/http_protocol", "asyncio/", "uvloop"),
    "FastAPI and Starlette": ("fastapi/", "starlette/", "contextlib"),
    "past the framework to the endpoint": ("service/api/direct", "service/api/served"),
    "admission: limits on requests, bytes, time": ("service/api/middleware/admission", "service/api/deadlines"),
    "keys and rate limits": ("service/api/middleware/authentication", "service/access/", "hmac"),
    "reading and checking the body": (
        "service/api/body", "service/api/json_arrays", "service/schemas/fields", "service/numbers",
        "service/api/headers", "service/api/binary", "service/tensors", "pydantic/", "safetensors/", "json/",
    ),
    "checks of sizes, finite answers": ("service/predictor", "numpy/"),
    "the model (onnxruntime) and its inputs": ("service/runtime", "onnxruntime/", "service/shapes"),
    "writing the answer": ("service/api/predict", "service/api/ready"),
    "request id, log line, metrics": ("service/api/middleware/observ", "service/observ", "logging/", "prometheus"),
    "event loop or thread": ("service/api/executor", "concurrent/", "threading"),
}  # fmt: skip
"""What a function's file says of its purpose."""
REST = "everything else"
IDLE = ("Condition.wait", "_worker (concurrent", "Queue.get", "select (selectors")
"""Innermost frames of threads that wait."""


def shares(stacks: Iterable[str]) -> dict[str, float]:
    """Add samples up by the room of the innermost function.

    Args:
        stacks: Lines of py-spy's raw format: frames from the outermost in, with semicolons, and a number of samples.
    """
    counts: Counter[str] = Counter()
    for line in stacks:
        frames, _, number = line.strip().rpartition(" ")
        innermost = frames.rsplit(";", 1)[-1]
        if not innermost.startswith(IDLE):
            counts[_room(innermost)] += int(number)
    return {room: counts[room] / counts.total() for room in (*ROOMS, REST) if counts[room]}


def _room(frame: str) -> str:
    where = frame.rpartition("(")[2]
    return next((room for room, files in ROOMS.items() if where.startswith(files)), REST)


def measure(payload: str, seconds: float = SECONDS) -> dict[str, float]:
    """Look at the service while it answers one payload: microseconds of processor time by room."""
    with started(OURS, MODEL) as server, tempfile.NamedTemporaryFile() as raw:
        cpu = drive(server, "json", payload, CONNECTIONS, seconds / 2).cpu
        command = [str(Path(sys.executable).with_name("py-spy")), "record", "--rate", "500", "--format", "raw"]
        command += ["--duration", f"{seconds:g}", "--output", raw.name, "--pid", str(server.process.pid)]
        spy = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        time.sleep(0.5)
        drive(server, "json", payload, CONNECTIONS, seconds)
        spy.wait()
        parts = shares(Path(raw.name).read_text().splitlines())
    return {room: share * cpu * 1e6 for room, share in parts.items()}


def section(found: Mapping[str, Mapping[str, float]]) -> str:
    """Tell it as a table."""
    rows = [[room, *(_cell(of.get(room, 0), sum(of.values())) for of in found.values())] for room in (*ROOMS, REST)]
    rows.append(["**all**", *(f"{sum(of.values()):.0f} µs" for of in found.values())])
    how = (
        f"Processor time of a request by what its innermost function is for; {MODEL}, JSON, {CONNECTIONS} connections."
    )
    return f"## Where the time of a request goes\n\n{how}\n\n{markdown(['', *found], rows)}"


def _cell(microseconds: float, of: float) -> str:
    return f"{microseconds:.0f} µs ({microseconds / of:.0%})"


def main(out: Path) -> None:
    """Look, and leave the results."""
    found = {payload: measure(payload) for payload in PAYLOADS}
    write(out, "profile", {"microseconds": found}, section(found))


if __name__ == "__main__":
    main(parse_out(__doc__))
