"""Requests of the tests in this folder, and measurements of memory and of the delay for other callers."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.running import Server

MB = 10**6
JSON = {"Content-Type": "application/json"}
RIGHT = json.dumps({"context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4]]}).encode()
BIG = b'{"a": "' + b"x" * (14 * MB) + b'"}'
"""A body that is read in full, and wrong."""
SOON = 30.0
"""Seconds within which memory must be released."""
MARGIN = 150 * MB
"""More than the idle figure: caches, and what the allocator keeps."""


def resident(server: Server) -> int:
    """Read the memory of a running service in bytes."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def idle(server: Server) -> int:
    """Have everything loaded that a prediction needs, and read the memory then."""
    for path in ("/v1/predict", "/v2/models/linear/infer", "/v1/evaluations"):
        httpx.post(server.url + path, content=RIGHT, headers=JSON)
    return resident(server)


def eventually(holds: Callable[[], bool], seconds: float = SOON) -> bool:
    """Wait until a condition is true, or a deadline has passed."""
    end = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.1)
    return held


def is_back(server: Server, before: int) -> bool:
    """Check whether memory returns to about its size before."""
    return eventually(lambda: resident(server) <= before + MARGIN)


def is_healthy(server: Server) -> bool:
    """Whether another caller is answered."""
    return httpx.post(f"{server.url}/v1/predict", content=RIGHT, headers=JSON).status_code == 200


def new_context(server: Server, **headers: str) -> str:
    """Make a context; returns its id."""
    made = httpx.post(f"{server.url}/v1/contexts", json={"model": "linear"}, headers=headers)
    return str(made.raise_for_status().json()["id"])


def live(server: Server, context: str, **headers: str) -> ClientConnection:
    """Open a WebSocket to a context."""
    address = f"{server.url.replace('http', 'ws', 1)}/v1/contexts/{context}/stream"
    return connect(address, compression=None, max_size=None, additional_headers=headers)


def send_all(line: socket.socket, *pieces: bytes) -> None:
    """Send one piece after the other."""
    for piece in pieces:
        line.sendall(piece)
