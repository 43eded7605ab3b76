"""Databases and services for the benchmark: this version, and the last one whose requests were not combined."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import psycopg
import pytest

from tests.postgres import Postgres
from tests.running import ROOT, Server

BEFORE = "bdd4c3d"
"""The commit before: each observation is a transaction, in a thread."""
SCRIPT = ROOT / "benchmarks" / "serving" / "post.lua"


@dataclass(frozen=True)
class Load:
    """The figures of one run."""

    rate: float
    """Answers per second."""
    p50: float
    """Seconds."""
    p99: float


@contextmanager
def sources_before() -> Iterator[Path | None]:
    """Unpack the sources of BEFORE; None where there is no history."""
    git = shutil.which("git")
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / "before.tar"
        command = [git or "git", "-C", str(ROOT), "archive", "--output", str(archive), BEFORE]
        if git is None or subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603
            yield None
            return
        shutil.unpack_archive(archive, directory, filter="data")
        yield Path(directory)


@contextmanager
def postgres() -> Iterator[Postgres | None]:
    """Start a PostgreSQL server; None where it is not installed."""
    try:
        server = Postgres()
    except pytest.skip.Exception:
        yield None
        return
    try:
        server.start()
        yield server
    finally:
        server.close()


def database(server: Postgres, name: str) -> str:
    """Make a database; returns its address."""
    address = server.database_in("UTF8")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{address.rpartition('/')[0]}/{name}"


@contextmanager
def service(sources: Path, database_url: str) -> Iterator[Server]:
    """Run a service of some sources."""
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        variables = {"PYTHONPATH": str(sources), "GDSSM_DATABASE_URL": database_url, "GDSSM_PORT": "0"}
        command = [sys.executable, "-m", "service", "serve"]
        with (
            log.open("w") as errors,
            subprocess.Popen(  # noqa: S603
                command, cwd=sources, env={**os.environ, **variables}, stderr=errors, text=True
            ) as process,
        ):
            server = Server(process, log)
            try:
                server.start()
                yield server
            finally:
                server.kill()


def post(server: Server, path: str, body: object, headers: dict[str, str] | None = None) -> dict[str, object]:
    """Send one request; returns its JSON."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    request = Request(server.url + path, json.dumps(body).encode(), sent, method="POST")  # noqa: S310  (loopback)
    with urlopen(request, timeout=60) as answer:  # noqa: S310
        found: dict[str, object] = json.loads(answer.read())
        return found


def loaded(targets: list[tuple[str, int]], body: object, seconds: float, headers: dict[str, str]) -> Load:
    """Send one body again and again for a while.

    Args:
        targets: Addresses, and the connections to each.
        body: Written as JSON.
        seconds: How long.
        headers: Further ones.
    """
    sent = {"Content-Type": "application/json", **headers}
    with tempfile.NamedTemporaryFile() as file:
        file.write(json.dumps(body).encode())
        file.flush()
        options = ["--duration", "1h", "--timeout", "60s", "--script", str(SCRIPT)]
        lines = [f"{name}: {value}" for name, value in sent.items()]
        processes = [
            subprocess.Popen(  # noqa: S603
                ["wrk", "--threads", "1", "--connections", str(count), *options, url, "--", file.name, *lines],  # noqa: S607
                stdout=subprocess.PIPE,
                text=True,
            )
            for url, count in targets
        ]
        outputs = _interrupted(processes, seconds)
    reports = [json.loads(output.strip().splitlines()[-1]) for output in outputs]
    wrong = sum(report["refused"] + report["broken"] for report in reports)
    assert not wrong, f"{wrong} requests failed"  # noqa: S101
    rate = sum(report["requests"] / report["seconds"] for report in reports)
    return Load(rate, max(report["p50"] for report in reports), max(report["p99"] for report in reports))


def _interrupted(processes: "list[subprocess.Popen[str]]", seconds: float) -> list[str]:
    """Let wrk run for a while; it reports after an interrupt."""
    try:
        processes[0].wait(seconds)
    except subprocess.TimeoutExpired:
        for process in processes:
            process.send_signal(signal.SIGINT)
    return [process.communicate()[0] for process in processes]
