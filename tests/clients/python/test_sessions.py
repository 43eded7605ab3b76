"""Retries, and exceptions for responses that are errors."""

import json
import pickle
from typing import Any

import anyio
import pytest

from gdssm_client import AsyncClient, Client
from gdssm_client.errors import ClientError, InvalidArgument, Refused, TooMany, Unavailable, Unreachable
from tests.clients.python.stand_in import Reply, standing_in

LIST = Reply(200, b'{"default": "linear", "models": [], "refused": [], "news": 1}')
BUSY = Reply(503, b'{"error": "Too much at once.", "error_type": "overloaded", "detail": null}', {"Retry-After": "0"})
CONTEXT = Reply(
    201,
    b'{"id": "1", "model": {"name": "linear", "version": "1.0.0"}, "decay": null, "n_observations": 0, "inputs": null,'
    b' "outputs": null, "version": 1, "ttl": 60, "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z",'
    b' "expires": "2026-01-01T00:00:00Z"}',
)


def test_temporary_refusals_are_retried_and_unknown_fields_ignored() -> None:
    with standing_in(BUSY, Reply(429, headers={"Retry-After": "0"}), LIST) as service, Client(service.url) as client:
        assert client.models().default == "linear"
    assert len(service.asked) == 3


def test_models_of_a_later_service_are_read() -> None:
    model: dict[str, Any] = {
        "name": "m",
        "version": "1.0.0",
        "summary": "",
        "task": "ranking",
        "origin": "grown",
        "sha256": "0" * 64,
    }
    model |= {"assumes": {"x": "", "y": "", "z": ""}, "dims": {"D": "any", "K": 1}, "gradient_steps": 1}
    parameter = {"name": "p", "default": 1, "above": 0, "meaning": "", "below": 2}
    model |= {"gives_scale": True, "missing_cells": False, "parameters": [parameter], "later": 1}
    body = json.dumps({"default": "m", "models": [model], "refused": []}).encode()
    with standing_in(Reply(200, body)) as service, Client(service.url) as client:
        (found,) = client.models().models
    assert (found.task, found.parameters[0].name) == ("ranking", "p")


def test_retry_after_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    wait = Reply(503, headers={"Retry-After": "7"})
    with standing_in(wait, wait, LIST) as service, Client(service.url) as client:
        client.models()
    assert waited == [7.0, 7.0]


def test_retries_keep_the_idempotency_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with standing_in(Reply(0), CONTEXT) as service, Client(service.url) as client:
        client.contexts.create()
        client.contexts.create()
    first, again, second = (key for _, _, key in service.asked)
    assert first == again
    assert first
    assert second not in {first, None}


def test_submission_is_not_retried_after_a_broken_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with standing_in(Reply(0)) as service, Client(service.url) as client, pytest.raises(Unreachable):
        client.evaluations.submit(["linear"])
    assert len(service.asked) == 1
    with standing_in(BUSY) as service, Client(service.url) as client, pytest.raises(Unavailable):
        client.evaluations.submit(["linear"])
    assert len(service.asked) == 5


def test_last_refusal_is_raised_with_all_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with standing_in(BUSY) as service, Client(service.url, retries=2) as client, pytest.raises(Unavailable) as refused:
        client.models()
    assert len(service.asked) == 3
    error = pickle.loads(pickle.dumps(refused.value))  # noqa: S301
    assert str(error) == "Too much at once."
    assert (error.status, error.error_type, error.detail, error.retry_after) == (503, "overloaded", None, 0.0)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(429, b'{"error": "no", "error_type": "quota_exceeded", "detail": null}'), TooMany),
        (Reply(500, b"<html>"), Unavailable),
        (Reply(418, b'["tea"]'), Refused),
        (Reply(301, headers={"Location": "/"}), Refused),
    ],
)
def test_responses_of_other_servers_are_refusals(reply: Reply, kind: type[ClientError]) -> None:
    with standing_in(reply) as service, Client(service.url, retries=0) as client, pytest.raises(kind) as refused:
        client.models()
    assert type(refused.value) is kind
    assert str(refused.value) == "no" or f"{service.url}/v1/models answered {reply.status}" in str(refused.value)


def test_each_retry_is_one_log_line(caplog: pytest.LogCaptureFixture) -> None:
    with standing_in(BUSY, Reply(0), LIST) as service, Client(service.url) as client:
        client.models()
    lines = [record.getMessage() for record in caplog.records if record.name == "gdssm_client"]
    assert len(lines) == 2
    assert lines[0] == "retry 1 of 4 of GET /v1/models in 0.00 s: status 503"
    assert lines[1].startswith("retry 2 of 4 of GET /v1/models in 0.")


def test_pauses_double_without_retry_after(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    with standing_in(Reply(502)) as service, Client(service.url) as client, pytest.raises(Unavailable):
        client.models()
    longest = (0.25, 0.5, 1.0, 2.0)
    assert [limit / 2 <= seconds <= limit for seconds, limit in zip(waited, longest, strict=True)] == [True] * 4


def test_retry_after_may_be_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    past = Reply(503, headers={"Retry-After": "Thu, 01 Jan 2026 00:00:00 GMT"})
    future = Reply(503, headers={"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})
    with standing_in(past, future, LIST) as service, Client(service.url) as client:
        client.models()
    assert waited == [0.0, 60.0]


def test_no_retry_begins_that_would_pass_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    wait = Reply(503, headers={"Retry-After": "7"})
    with standing_in(wait) as service, Client(service.url, deadline=5.0) as client, pytest.raises(Unavailable):
        client.models()
    assert len(service.asked) == 1


def test_response_after_the_deadline_is_not_awaited() -> None:
    slow = Reply(200, LIST.body, seconds=60.0)
    with standing_in(slow) as service, Client(service.url, deadline=0.3) as client, pytest.raises(Unreachable):
        client.models()


def test_response_in_pieces_ends_at_the_deadline() -> None:
    slow = Reply(200, LIST.body, seconds=0.05)
    with (
        standing_in(slow) as service,
        Client(service.url, deadline=0.3) as client,
        pytest.raises(Unreachable, match=r"the deadline of 0\.3 s has passed\.$"),
    ):
        client.models()


def test_deadline_ends_an_awaited_call() -> None:
    async def ask(url: str) -> None:
        async with AsyncClient(url, deadline=0.3) as client:
            await client.models()

    with standing_in(Reply(200, LIST.body, seconds=0.05)) as service, pytest.raises(Unreachable, match="deadline"):
        anyio.run(ask, service.url)


@pytest.mark.parametrize("deadline", [0, -1.0, float("nan")])
def test_deadline_must_be_positive(deadline: float) -> None:
    with pytest.raises(InvalidArgument, match=r"^deadline: must be a number of seconds above 0"):
        Client("http://127.0.0.1:9", deadline=deadline)
