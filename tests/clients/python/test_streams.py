"""A stream of the client goes on after a break, and each message counts once."""

import asyncio
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from gdssm_client import AsyncClient, Client, sessions, streams
from gdssm_client.errors import InvalidArgument, InvalidInput, NotFound, Unreachable
from tests.running import Server
from tests.service.replicas import Replica

MESSAGES = 300


def observation(number: int) -> dict[str, object]:
    return {"observation": {"x": np.array([number]), "y": 2.0 * number}}


def test_a_message_is_predicted_then_learnt(server: Server) -> None:
    with Client(server.url) as client:
        context = client.contexts.create("linear")
        with context.stream() as stream:
            answers = [stream.send(observation(number)) for number in range(1, 5)]
            asked = stream.send({"query": [9], "interval": 0.9})
        expected = context.predict([[9]]).prediction
    assert [answer.n_observations for answer in answers] == [1, 2, 3, 4]
    assert asked.prediction == pytest.approx(expected[0])
    assert asked.interval is not None


def test_the_asynchronous_stream_is_the_same(server: Server) -> None:
    async def counts() -> list[int]:
        async with AsyncClient(server.url) as client:
            context = await client.contexts.create("linear")
            async with context.stream() as stream:
                return [(await stream.send(observation(number))).n_observations for number in range(3)]

    assert asyncio.run(counts()) == [1, 2, 3]


def test_a_refused_message_changes_nothing_and_the_stream_goes_on(server: Server) -> None:
    with Client(server.url) as client:
        context = client.contexts.create("linear")
        with context.stream() as stream:
            stream.send(observation(1))
            with pytest.raises(InvalidInput) as refused:
                stream.send({"observation": {"x": [1, 2], "y": 3}})
            assert stream.send(observation(2)).n_observations == 2
            context.delete()
            with pytest.raises(NotFound):
                stream.send(observation(3))
        with pytest.raises(NotFound), context.stream() as stream:
            stream.send(observation(3))
    assert refused.value.status == 422
    assert refused.value.detail


def test_a_callers_key_is_kept(server: Server) -> None:
    with Client(server.url) as client, client.contexts.create("linear").stream() as stream:
        first, again = (stream.send({"idempotency_key": "event 7", **observation(7)}) for _ in range(2))
    assert first == again
    assert again.n_observations == 1


def test_without_a_service_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with Client() as client, pytest.raises(InvalidArgument, match="needs a service with a URL"):
        client.contexts.create("linear").stream()
    settings = sessions.ConnectionSettings.to("http://127.0.0.1:1", None, 5.0, 2)
    monkeypatch.setattr(streams, "BACKOFF_FACTOR", 0.01)
    with streams.Stream(settings, "/v1/contexts/a/stream") as stream, pytest.raises(Unreachable, match="The stream"):
        stream.send(observation(1))


@pytest.mark.slow
def test_a_killed_service_is_waited_for_and_nothing_counts_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "RETRY_WAIT_LIMIT", 0.2)
    replica = Replica(f"sqlite:///{tmp_path}/gdssm.db")
    replica.start()
    counts: list[int] = []

    def send() -> None:
        with Client(replica.url, retries=300) as client, client.contexts.create("linear").stream() as stream:
            counts.extend(stream.send(observation(number)).n_observations for number in range(MESSAGES))

    sender = threading.Thread(target=send)
    sender.start()
    try:
        for reached in (20, 150):
            while len(counts) < reached and sender.is_alive():
                time.sleep(0.002)
            replica.kill()
            replica.start()
        sender.join(120)
    finally:
        replica.kill()
    assert counts == list(range(1, MESSAGES + 1))
