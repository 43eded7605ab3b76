"""A PostgreSQL server for tests, in a temporary directory and on a free port; both are released at the end."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from tests.running import free_port

DEBIAN = Path("/usr/lib/postgresql")
MISSING = "PostgreSQL is not installed: apt-get install postgresql"
START_TIMEOUT = 60.0
"""Seconds for a server to come up, also after a crash."""


class Postgres:
    """A server that can be killed and started again; `fsync` is on, so what it acknowledged is on the disk."""

    def __init__(self) -> None:
        self._programs = programs()
        self._directory = Path(tempfile.mkdtemp(prefix="gdssm-postgres-"))
        self._user = unprivileged()
        if self._user:
            shutil.chown(self._directory, self._user)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        options = ["--auth=trust", "--username=gdssm", "--encoding=UTF8", "--no-locale", "--no-sync"]
        self._run("initdb", "-D", str(self._data), *options).wait()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = [f"port={self.port}", f"unix_socket_directories={self._directory}", "fsync=on"]
        options = [part for setting in settings for part in ("-c", setting)]
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process is None or self._process.poll() is not None:  # gone: processes of the last one were left
                self._process = self._run("postgres", "-D", str(self._data), *options)
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """End it and its children at once, with no chance to write anything."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        self._process.kill()
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()

    def empty_database(self) -> str:
        """Remove all that earlier tests made (a database for each would cost a second); returns the address."""
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute("SET lock_timeout = '10s'")
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self._address

    def database_in(self, encoding: str) -> str:
        """Make a database in some encoding, if there is none yet; returns its address."""
        name = f"in_{encoding.lower()}"
        with psycopg.connect(self._address, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                locale = "LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
                connection.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' {locale}")
        return self._address.removesuffix("postgres") + name

    def close(self) -> None:
        """Stop it and remove its directory."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self._directory)

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    @property
    def _address(self) -> str:
        return f"postgresql://gdssm@127.0.0.1:{self.port}/postgres"

    def _run(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [self._programs / program, *arguments], stdout=log, stderr=log, user=self._user, cwd=self._directory
            )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._address, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def programs() -> Path:
    """Find the server's programs, or skip the test with the reason."""
    on_path = [Path(found).resolve().parent for name in ("postgres",) if (found := shutil.which(name))]
    for directory in [*on_path, *sorted(DEBIAN.glob("*/bin"), reverse=True)]:
        if (directory / "postgres").exists() and (directory / "initdb").exists():
            return directory
    pytest.skip(MISSING)


def unprivileged() -> str | None:
    """Name whom to run the server as: it refuses to be root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)  # words: allow
