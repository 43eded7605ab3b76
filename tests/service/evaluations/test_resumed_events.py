"""Events of an evaluation go on at another replica after the last event that was received."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gdssm.evaluation.references import REFERENCES
from tests.pgbouncer import PgBouncer
from tests.service.replicas import replicas_on

ASKED = {"suite": "tables", "models": ["linear"], "seed": 5, "tasks": 30, "observations": 20, "curve": [5]}
TIMEOUT = 120.0
"""Seconds for the evaluation, which starts again at the other replica if the killed one was at work on it."""


def events(url: str, last: int) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Read the name, the id and the data of events until the stream ends or breaks off."""
    try:
        with httpx.stream("GET", url, headers={"Last-Event-ID": str(last)}, timeout=30) as stream:
            assert stream.status_code == 200, stream.read()
            event: dict[str, str] = {}
            for line in stream.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    event[name] = value
                elif event:
                    yield event["event"], int(event.get("id", 0)), json.loads(event["data"])
                    event = {}
    except httpx.TransportError:
        return


@pytest.mark.slow
def test_events_go_on_at_another_replica_without_a_gap_or_a_repetition(pgbouncer: PgBouncer) -> None:
    received: list[tuple[int, dict[str, Any]]] = []
    deadline = time.monotonic() + TIMEOUT
    with replicas_on(pgbouncer.empty_database()) as (first, second):
        made = httpx.post(f"{first.url}/v1/evaluations", json=ASKED, timeout=30).raise_for_status()
        path, url, status = made.headers["location"], first.url, "queued"
        while status not in {"done", "failed"}:
            assert time.monotonic() < deadline, received
            for name, number, data in events(f"{url}{path}/events", len(received)):
                if name == "result":
                    received.append((number, data))
                else:
                    status = data["status"]
                if url == first.url and len(received) == 2:
                    first.kill()
                    url = second.url
                    break
        shown = httpx.get(f"{second.url}{path}", timeout=30).json()
    assert (status, url) == ("done", second.url)
    assert [number for number, _ in received] == list(range(1, shown["total"] + 1))
    assert [data for _, data in received] == shown["results"]
    assert shown["total"] % (1 + len(REFERENCES)) == 0
