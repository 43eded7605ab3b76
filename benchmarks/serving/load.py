"""The same load for everybody: wrk on a core of its own, one request again and again on some connections."""

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.payloads import payload
from benchmarks.serving.processes import cpu_seconds
from benchmarks.serving.servers import Server

SERVER_CORE, LOAD_CORE = 0, 1
SCRIPT = Path(__file__).parent / "post.lua"
TIMEOUT = "60s"
"""Until wrk calls an answer missing: longer than the longest queue."""


@dataclass(frozen=True)
class Load:
    """What came of one run."""

    rate: float
    """Requests per second."""
    cpu: float
    """Seconds of processor time per request, of the server and all its processes, kernel included."""
    p50: float
    """Seconds until the answer, the median."""
    p99: float
    invalid: str
    """Why the figures mean nothing, or empty."""

    @classmethod
    def without(cls, reason: str) -> "Load":
        """Say why there are no figures."""
        return cls(0.0, 0.0, 0.0, 0.0, reason)


def drive(server: Server, kind: str, name: str, connections: int, seconds: float) -> Load:
    """Load a server for a while, from another core."""
    form = server.contestant.forms[kind]
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
    """Run wrk for a while; it takes whole seconds only, and sums up too when it is interrupted."""
    wrk = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    time.sleep(seconds)
    wrk.send_signal(signal.SIGINT)
    output, _ = wrk.communicate()
    return output


def parse(output: str, cpu: float) -> Load:
    """Read what wrk and its script wrote.

    Args:
        output: With one line of JSON at its end.
        cpu: Seconds of processor time that the server took for the whole run.
    """
    told = json.loads(output.strip().splitlines()[-1])
    requests = told["requests"]
    wrong = {"refused": told["refused"], "broken": told["broken"], "answered": requests}
    reasons = [f"{wrong['refused']} answers were no 2xx"] * bool(wrong["refused"])
    reasons += [f"{wrong['broken']} connections broke"] * bool(wrong["broken"])
    reasons += ["nothing was answered"] * (not requests)
    return Load(requests / told["seconds"], cpu / max(requests, 1), told["p50"], told["p99"], ", ".join(reasons))
