"""kill −9 at random moments, of the service and of its database, loses nothing acknowledged and counts nothing twice.

Two replicas on one database; eight clients that send every request until it is acknowledged, under one Idempotency-Key.
Requests that wait for the context of a replica share transactions.
"""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import numpy as np
import psycopg
import pytest
from safetensors.numpy import load

from service.states.tensors import unpacked
from tests.closeness import assert_close
from tests.pgbouncer import PgBouncer
from tests.postgres import Postgres
from tests.service.replicas import Replica, replicas_on

OBSERVATIONS = 5_000
"""In 500 requests: a kill meets the eight that are in flight, whatever their number."""
ROWS = 10
"""In one request: OBSERVATIONS / ROWS requests."""
CLIENTS = 8
KILLS = 5
INPUTS, OUTPUTS = 3, 2
PROGRESS_TIMEOUT = 100.0
"""Seconds after which a client gives up, and the test fails."""


@dataclass
class Traffic:
    """Clients that observe, and their answers."""

    replicas: list[Replica]
    context: str
    numbers: Iterator[int] = field(default_factory=count)
    versions: list[int] = field(default_factory=list)
    """Of the context, one for each request that was acknowledged."""
    sent: int = 0
    """Attempts, acknowledged or not."""
    failures: list[BaseException] = field(default_factory=list)
    progress: threading.Condition = field(default_factory=threading.Condition)

    def send(self) -> None:
        """Be one client, until all observations are acknowledged."""
        try:
            with httpx.Client(timeout=30) as client:
                while (number := next(self.numbers)) < OBSERVATIONS // ROWS:
                    self._send(client, number)
        except BaseException as error:
            with self.progress:
                self.failures.append(error)
                self.progress.notify_all()
            raise

    def wait_for(self, acknowledged: int) -> None:
        """Wait until so many requests were acknowledged."""
        with self.progress:
            self.progress.wait_for(lambda: len(self.versions) >= acknowledged or self.failures, PROGRESS_TIMEOUT)
            assert len(self.versions) >= acknowledged, self.failures

    def _send(self, client: httpx.Client, number: int) -> None:
        x, y = rows(number)
        deadline = time.monotonic() + PROGRESS_TIMEOUT
        for attempt in count(number):
            assert time.monotonic() < deadline, "never acknowledged"
            url = self.replicas[attempt % len(self.replicas)].url
            self.sent += 1
            try:
                answer = client.post(
                    f"{url}/v1/contexts/{self.context}/observations",
                    json={"x": x.tolist(), "y": y.tolist()},
                    headers={"Idempotency-Key": f"request {number}"},
                )
            except httpx.TransportError:
                time.sleep(0.02)
                continue
            if answer.status_code == 503:
                time.sleep(0.02)
                continue
            assert answer.status_code == 200, answer.text
            with self.progress:
                self.versions.append(answer.json()["version"])
                self.progress.notify_all()
            return


def rows(number: int) -> tuple[np.ndarray, np.ndarray]:
    """The observations of one request."""
    generator = np.random.default_rng(number)
    return generator.normal(size=(ROWS, INPUTS)) + 3.0, generator.normal(size=(ROWS, OUTPUTS))


def survive(database_url: str, *servers: Postgres | PgBouncer, shards: int = 0) -> None:
    """Observe while replicas, and servers of the database in turn, are killed, then check the contexts.

    A context with shards begins with the rows after those of the requests.
    """
    first = [OBSERVATIONS // ROWS] if shards else []
    generator = random.Random(4)  # noqa: S311  (moments to kill at)
    with replicas_on(database_url) as replicas:
        body: dict[str, object] = {"model": "linear", "version": "1.0.0"}
        for number in first:
            x, y = rows(number)
            body |= {"shards": shards, "observations": {"x": x.tolist(), "y": y.tolist()}}
        made = httpx.post(f"{replicas[0].url}/v1/contexts", json=body, timeout=30)
        assert made.status_code == 201, made.text
        traffic = Traffic(replicas, made.json()["id"])
        clients = [threading.Thread(target=traffic.send) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        requests = OBSERVATIONS // ROWS
        for number, moment in enumerate(sorted(generator.sample(range(10, requests - 10), KILLS))):
            traffic.wait_for(moment)
            victims = servers if servers and number % 2 else replicas
            victim = victims[number // 2 % len(victims)]
            victim.kill()
            victim.start()
        traffic.wait_for(requests)
        for client in clients:
            client.join()
        for replica in replicas:
            replica.kill()
        for server in servers:
            server.kill()
            server.start()
        replicas[0].start()
        check(traffic, httpx.get(f"{replicas[0].url}/v1/contexts/{traffic.context}/state", timeout=30).content, first)
        found = httpx.get(f"{replicas[0].url}/v1/contexts/{traffic.context}", timeout=30).json()
        if servers and not shards:
            assert transactions(database_url) < requests, "no requests were combined"
    assert found["n_observations"] == OBSERVATIONS + ROWS * len(first)
    assert found["version"] == 1 + requests


def transactions(database_url: str) -> int:
    """Count the transactions of PostgreSQL that stored the keys of the requests."""
    with psycopg.connect(database_url, prepare_threshold=None) as connection:
        found = connection.execute("SELECT count(DISTINCT xmin::text) FROM receipts").fetchone()
    assert found is not None
    return int(found[0])


def check(traffic: Traffic, exported: bytes, first: list[int]) -> None:
    """Compare the state with numpy's for exactly the acknowledged changes; versions repeat where shards have them."""
    requests = OBSERVATIONS // ROWS
    assert traffic.failures == []
    assert len(traffic.versions) == requests
    assert first or sorted(traffic.versions) == list(range(2, 2 + requests)), (
        "an acknowledged change is missing, or one is double"
    )
    assert traffic.sent > requests, "nothing was killed while it worked"
    z = np.concatenate([np.hstack(rows(number)) for number in [*range(requests), *first]])
    state = unpacked(load(exported))
    assert state["state.count"] == len(z) == OBSERVATIONS + ROWS * len(first)
    assert_close(state["state.mean"][0], z.mean(0), "mean", rtol=1e-9)
    assert_close(state["state.comoment"][0], (z - z.mean(0)).T @ (z - z.mean(0)), "comoment", rtol=1e-9)


@pytest.mark.slow
def test_on_sqlite(tmp_path: Path) -> None:
    survive(f"sqlite:///{tmp_path}/gdssm.db")


@pytest.mark.slow
def test_on_postgresql(postgres: Postgres) -> None:
    survive(postgres.empty_database(), postgres)


@pytest.mark.slow
def test_shards_on_sqlite(tmp_path: Path) -> None:
    survive(f"sqlite:///{tmp_path}/gdssm.db", shards=2)


@pytest.mark.slow
def test_shards_on_postgresql(postgres: Postgres) -> None:
    survive(postgres.empty_database(), postgres, shards=3)


@pytest.mark.slow
def test_through_pgbouncer(postgres: Postgres, pgbouncer: PgBouncer) -> None:
    survive(pgbouncer.empty_database(), postgres, pgbouncer)
