"""kill −9 of the ingester, of Redis and of the database: every entry counts once."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from service.store.database import Database
from service.store.tables import CONTEXTS, INGEST_OFFSETS
from tests.postgres import Postgres
from tests.redis import RedisServer
from tests.running import ROOT
from tests.service.ingest.streams import counts_of, readings

ROWS = 6000
TIMEOUT = 60.0
"""Seconds for each wait."""


class Ingesting:
    """`gdssm ingest` in a process, started as often as needed."""

    def __init__(self, database_url: str, redis_url: str, log: Path, *streams: str) -> None:
        options = [part for stream in streams for part in ("--stream", stream)]
        options += ["--by", "device", "--target", "power", "--model", "linear", "--from-start", "--batch", "50"]
        self._command = [sys.executable, "-m", "service", "ingest", redis_url, *options]
        self._environment = {**os.environ, "GDSSM_DATABASE_URL": database_url}
        self._log = log
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, *options: str) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [*self._command, *options], cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        self._processes.append(process)
        return process

    def finish(self) -> None:
        """Run to the end of the streams."""
        assert self.start("--stop-at-end").wait(TIMEOUT) == 0, self._log.read_text()
        assert "Traceback" not in self._log.read_text(), self._log.read_text()

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


class Learnt:
    """Looks into the database."""

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def _connection(self) -> Iterator[Database]:
        database = Database.open(self._url)
        try:
            yield database
        finally:
            database.close()

    def entries(self) -> int:
        """Entries that are counted in the offsets."""
        with self._connection() as database, database.reading() as connection:
            return int(connection.scalar(select(func.sum(INGEST_OFFSETS.c.entries))) or 0)

    def counts(self) -> dict[str, int]:
        """Rows by context."""
        with self._connection() as database, database.reading() as connection:
            return dict(connection.execute(select(CONTEXTS.c.name, CONTEXTS.c.n_observations)).all())

    def wait_for(self, entries: int) -> None:
        deadline = time.monotonic() + TIMEOUT
        while self.entries() < entries:
            assert time.monotonic() < deadline, "no progress"
            time.sleep(0.02)


@pytest.fixture
def stream(redis_server: RedisServer) -> Iterator[str]:
    yield "kills"
    redis_server.client.delete("kills", "others")


@pytest.fixture
def ingesting(
    database_url: str, redis_server: RedisServer, stream: str, tmp_path: Path
) -> Iterator[Callable[..., Ingesting]]:
    """Return what makes processes that read streams."""
    made = list[Ingesting]()

    def make(*streams: str) -> Ingesting:
        made.append(Ingesting(database_url, redis_server.url, tmp_path / "log", *(streams or (stream,))))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.mark.slow
def test_the_ingester_is_killed(
    database_url: str, redis_server: RedisServer, stream: str, ingesting: Callable[..., Ingesting]
) -> None:
    rows, learnt, one = readings(0, ROWS), Learnt(database_url), ingesting()
    redis_server.add(stream, *rows)
    for part in (0.1, 0.3, 0.6):
        process = one.start()
        learnt.wait_for(int(part * ROWS))
        process.kill()
        process.wait()
    one.finish()
    assert learnt.entries() == ROWS
    assert learnt.counts() == counts_of(rows)


@pytest.mark.slow
def test_redis_is_killed(
    database_url: str, redis_server: RedisServer, stream: str, ingesting: Callable[..., Ingesting]
) -> None:
    rows, learnt, one = readings(0, ROWS), Learnt(database_url), ingesting()
    process = one.start()
    for start in range(0, ROWS, ROWS // 3):
        redis_server.add(stream, *rows[start : start + ROWS // 3])
        learnt.wait_for(start + 100)
        redis_server.kill()
        redis_server.start()
    learnt.wait_for(ROWS)
    process.terminate()
    assert process.wait(TIMEOUT) == 0
    one.finish()
    assert learnt.counts() == counts_of(rows)


@pytest.mark.slow
def test_the_database_is_killed(postgres: Postgres, redis_server: RedisServer, stream: str, tmp_path: Path) -> None:
    url = postgres.empty_database()
    rows, learnt = readings(0, ROWS), Learnt(url)
    one = Ingesting(url, redis_server.url, tmp_path / "log", stream)
    redis_server.add(stream, *rows)
    try:
        one.start()
        for part in (0.1, 0.3, 0.6):
            learnt.wait_for(int(part * ROWS))
            postgres.kill()
            postgres.start()
        learnt.wait_for(ROWS)
        one.finish()
    finally:
        one.end()
    assert learnt.counts() == counts_of(rows)


@pytest.mark.slow
def test_one_of_two_ingesters_is_killed(
    database_url: str, redis_server: RedisServer, stream: str, ingesting: Callable[..., Ingesting]
) -> None:
    """Of one consumer and two streams with the same ids; the other goes on."""
    rows, learnt = readings(0, ROWS), Learnt(database_url)
    pipeline = redis_server.client.pipeline(transaction=False)
    for number, row in enumerate(rows):
        fields: Any = {name: str(value) for name, value in row.items()}
        pipeline.xadd((stream, "others")[number % 2], fields, id=f"{number // 2 + 1}-0")
    pipeline.execute()
    one, other = ingesting(stream, "others"), ingesting("others", stream)
    victim, survivor = one.start(), other.start()
    learnt.wait_for(ROWS // 4)
    victim.kill()
    victim.wait()
    learnt.wait_for(ROWS)
    survivor.terminate()
    assert survivor.wait(TIMEOUT) == 0
    assert learnt.counts() == counts_of(rows)


@pytest.mark.slow
def test_a_stop_signal_ends_the_ingester_in_order(
    database_url: str, redis_server: RedisServer, stream: str, ingesting: Callable[..., Ingesting]
) -> None:
    rows, learnt, one = readings(0, 2000), Learnt(database_url), ingesting()
    redis_server.add(stream, *rows)
    process = one.start()
    learnt.wait_for(100)
    process.terminate()
    assert process.wait(TIMEOUT) == 0
    assert sum(learnt.counts().values()) == learnt.entries()
    one.finish()
    assert learnt.counts() == counts_of(rows)
