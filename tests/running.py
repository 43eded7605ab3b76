"""A service that really runs: a process, a socket, signals. For tests and benchmarks."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVE = [sys.executable, "-W", "error", "-m", "service", "serve"]


class Server:
    """A running service and its address."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process = process
        self._log = log
        self._kept = ""

    @property
    def log(self) -> str:
        """What it has written to its standard error so far, or had when it was killed."""
        return self._log.read_text() if self._log.exists() else self._kept

    def start(self) -> None:
        """Wait for its address."""
        while (address := re.search(r"running on (http://[^\s\"]+)", self.log)) is None:
            if self.process.poll() is not None:
                raise AssertionError(self.log)
            time.sleep(0.02)
        self.url = address[1]

    def kill(self) -> None:
        """End it; its log stays."""
        self.process.kill()
        self.process.wait()
        self._kept = self.log

    def connect(self) -> socket.socket:
        """Open a bare connection to it."""
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=60)

    def stop(self) -> int:
        """Ask it to leave; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for it to leave; returns its exit code."""
        return self.process.wait(timeout=60)


def free_port() -> int:
    """Find a port that is free, and stays so: no outgoing connection takes it while a service starts again."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(5_000, max(lowest, 10_000)), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("100 ports are taken")


@contextmanager
def running(sources: Path = ROOT, /, **environment: str) -> Iterator[Server]:
    """Start a service with some settings, on a free port and a new database unless they name one; end it after use."""
    with tempfile.TemporaryDirectory() as directory:
        new = {"GDSSM_DATABASE_URL": f"sqlite:///{directory}/gdssm.db", "GDSSM_PORT": "0"}
        variables = {**os.environ, **new, **environment}
        log = Path(directory) / "log"  # not a pipe: a service that logs much would stand still on a full one
        with (
            log.open("w") as stderr,
            subprocess.Popen(SERVE, cwd=sources, env=variables, stderr=stderr, text=True) as process,
        ):
            server = Server(process, log)
            try:
                server.start()
                yield server
            finally:
                server.kill()


@contextmanager
def zoo_of(*models: str) -> Iterator[str]:
    """Make a directory with some of the shipped files: a service starts faster without the others."""
    with tempfile.TemporaryDirectory() as directory:
        for model in models:
            shutil.copy(ROOT / f"service/zoo/{model}.onnx", directory)
        yield directory
