"""A service that really runs: a process, a socket, signals. For tests and benchmarks."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVE = [sys.executable, "-W", "error", "-m", "service", "serve"]


class Server:
    """A running service and its address."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        self.process = process
        self.log = ""
        for line in process.stderr:
            self.log += line
            if address := re.search(r"running on (http://\S+)", line):
                self.url = address[1]
                return
        raise AssertionError(self.log)

    def connect(self) -> socket.socket:
        """Open a bare connection to it."""
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=20)

    def stop(self) -> int:
        """Ask it to leave; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=20)
        self.log += rest
        return self.process.returncode


@contextmanager
def running(**environment: str) -> Iterator[Server]:
    """Start a service on a free port, with some settings and a new database unless they name one; kill it at the end."""
    with tempfile.TemporaryDirectory() as directory:
        database = {"GDSSM_DATABASE_URL": f"sqlite:///{directory}/gdssm.db"}
        command, variables = [*SERVE, "--port", "0"], {**os.environ, **database, **environment}
        with subprocess.Popen(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield Server(process)
            finally:
                process.kill()
