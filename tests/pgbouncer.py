"""pgbouncer in transaction mode for tests, with the configuration of deploy/ in front of a PostgreSQL server."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from tests.postgres import START_TIMEOUT, Postgres, unprivileged
from tests.running import ROOT, free_port

PROGRAM = "/usr/sbin/pgbouncer"
MISSING = "pgbouncer is not installed: apt-get install pgbouncer"
CONFIGURATION = ROOT / "deploy/pgbouncer/pgbouncer.ini"


class PgBouncer:
    """A pooler that can be killed and started again.

    Args:
        postgres: The server behind it.
        settings: Lines of the section `pgbouncer` that differ from deploy/.
    """

    def __init__(self, postgres: Postgres, *settings: str) -> None:
        self._program = shutil.which("pgbouncer") or PROGRAM
        if not Path(self._program).exists():
            pytest.skip(MISSING)
        self._postgres = postgres
        self._directory = Path(tempfile.mkdtemp(prefix="gdssm-pgbouncer-"))
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        users, ini = self._directory / "userlist.txt", self._directory / "pgbouncer.ini"
        users.write_text('"gdssm" "password"\n')
        here = ["listen_addr = 127.0.0.1", f"listen_port = {self._port}", f"auth_file = {users}", "unix_socket_dir ="]
        ini.write_text("\n".join([_configuration(postgres), *here, *settings, ""]))
        for path in (self._directory, users, ini):
            shutil.chown(path, unprivileged() or path.owner())

    @property
    def address(self) -> str:
        """The URL of the server's database through the pooler."""
        return f"postgresql://gdssm:password@127.0.0.1:{self._port}/gdssm"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process is None or self._process.poll() is not None:
                self._process = self._run()
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def empty_database(self) -> str:
        """Remove all that earlier tests made; returns the address through the pooler."""
        self._postgres.empty_database()
        return self.address

    def close(self) -> None:
        """Stop it and remove its directory."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self._directory)

    @property
    def log(self) -> str:
        """Everything that it has written."""
        return (self._directory / "log").read_text()

    def _run(self) -> "subprocess.Popen[bytes]":
        command = [self._program, str(self._directory / "pgbouncer.ini")]
        with (self._directory / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, user=unprivileged(), cwd=self._directory)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.address, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _configuration(postgres: Postgres) -> str:
    """Return the configuration of deploy/, with the address of a server of a test."""
    text = CONFIGURATION.read_text()
    deployed = "gdssm = host=database port=5432 dbname=gdssm"
    assert deployed in text
    return text.replace(deployed, f"gdssm = host=127.0.0.1 port={postgres.port} dbname=postgres user=gdssm")
