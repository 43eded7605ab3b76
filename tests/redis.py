"""A Redis server for tests, in a temporary directory and on a free port; both are released at the end."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.running import free_port

MISSING = "Redis is not installed: apt-get install redis-server"
START_TIMEOUT = 60.0
"""Seconds for a server to come up, also after a crash."""


class RedisServer:
    """A server that can be killed and started again; an entry that it acknowledged is on the disk."""

    def __init__(self) -> None:
        found = shutil.which("redis-server")
        if found is None:
            pytest.skip(MISSING)
        self._program = found
        self._directory = Path(tempfile.mkdtemp(prefix="gdssm-redis-"))
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.client = redis.Redis(port=self._port)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {"port": self._port, "bind": "127.0.0.1", "dir": self._directory, "save": ""}
        settings |= {"appendonly": "yes", "appendfsync": "always"}
        options = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([self._program, *options], stdout=log, stderr=log, cwd=self._directory)
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once, with no chance to write anything."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Stop it and remove its directory."""
        self.client.close()
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._directory)

    def add(self, stream: str, *rows: Mapping[str, object]) -> list[str]:
        """Add entries to a stream; returns their ids."""
        pipeline = self.client.pipeline(transaction=False)
        for row in rows:
            fields: Any = {name: str(value) for name, value in row.items()}
            pipeline.xadd(stream, fields)
        return [position.decode() for position in pipeline.execute()]

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False
