"""Messages of a stream that are repeated with their idempotency key are applied once."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.running import Server
from tests.service.api.routes.test_stream import LINE, ask, look, make, streaming


def keyed(context: str, number: int, **more: object) -> dict[str, Any]:
    observation = {"x": [number], "y": 2 * number}
    return {"id": number, "idempotency_key": f"{context} {number}", "observation": observation, **more}


def test_repeated_message_is_applied_once_with_the_same_response(server: Server) -> None:
    context = make(server, observations=LINE, version="2.0.0")
    asked = {"interval": 0.9, "quantiles": [0.1, 0.5], "query": [10]}
    with streaming(server, context) as stream:
        first, second = ask(stream, keyed(context, 4, **asked)), ask(stream, keyed(context, 5))
        assert ask(stream, keyed(context, 4, **asked)) == first
    with streaming(server, context) as stream:
        assert ask(stream, keyed(context, 4, **asked) | {"id": "again"}) == first | {"id": "again"}
        assert ask(stream, keyed(context, 5)) == second
    assert [first["n_observations"], second["n_observations"], look(server, context)["n_observations"]] == [4, 5, 5]


def test_an_answer_without_a_prediction_or_an_interval_is_repeated(server: Server) -> None:
    context = make(server, version="2.0.0")
    with streaming(server, context) as stream:
        first = [ask(stream, keyed(context, number, interval=0.9)) for number in (1, 2)]
        assert [ask(stream, keyed(context, number, interval=0.9)) for number in (1, 2)] == first
    assert first[0]["prediction"] is None
    assert first[1]["interval"] == {"lower": None, "upper": None}


def test_resent_messages_after_a_broken_stream_are_applied_once(server: Server) -> None:
    context, numbers = make(server), range(1, 101)
    with streaming(server, context) as stream:
        for number in numbers:
            stream.send(json.dumps(keyed(context, number)))
        stream.recv(timeout=20)
        stream.socket.shutdown(socket.SHUT_RDWR)
    with streaming(server, context) as stream:
        answers = [ask(stream, keyed(context, number)) for number in numbers]
    assert sorted(answer["n_observations"] for answer in answers) == list(numbers)
    assert look(server, context)["n_observations"] == len(numbers)


def test_message_on_two_streams_is_applied_once(server: Server) -> None:
    context = make(server, observations=LINE)

    def send(_: int) -> list[dict[str, Any]]:
        with streaming(server, context) as stream:
            return [ask(stream, keyed(context, number)) for number in range(4, 24)]

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(send, range(4))
    assert others == [first] * 3
    assert look(server, context)["n_observations"] == 23


@pytest.mark.parametrize(
    "other",
    [{"observation": {"x": [9], "y": 1}}, {"query": [5]}, {"interval": 0.5}],
    ids=["another observation", "another query", "another interval"],
)
def test_the_key_of_another_message_is_refused(server: Server, other: dict[str, Any]) -> None:
    context = make(server, observations=LINE, version="2.0.0")
    with streaming(server, context) as stream:
        ask(stream, keyed(context, 4))
        answer = ask(stream, keyed(context, 4) | other)
        assert (answer["id"], answer["error_type"]) == (4, "conflict")
    assert look(server, context)["n_observations"] == 4


def test_requests_and_messages_share_their_keys(server: Server) -> None:
    context = make(server, observations=LINE)
    body = {"x": [[50]], "y": [100]}
    headers = {"Idempotency-Key": f"{context} 50"}
    url = f"{server.url}/v1/contexts/{context}/observations"
    assert httpx.post(url, json=body, headers=headers).status_code == 200
    with streaming(server, context) as stream:
        assert ask(stream, keyed(context, 50))["error_type"] == "conflict"
    assert httpx.post(url, json=body, headers=headers).json()["n_observations"] == 4


def test_a_message_that_was_refused_may_be_corrected_under_its_key(server: Server) -> None:
    context = make(server, observations=LINE)
    with streaming(server, context) as stream:
        assert ask(stream, keyed(context, 4, query=[1, 2]))["error_type"] == "invalid_input"
        assert ask(stream, keyed(context, 4))["n_observations"] == 4


def test_a_query_alone_changes_nothing_and_is_answered_each_time(server: Server) -> None:
    context = make(server, observations=LINE)
    with streaming(server, context) as stream:
        question = {"query": [4], "idempotency_key": "q"}
        assert ask(stream, question)["n_observations"] == 3
        ask(stream, keyed(context, 9))
        assert ask(stream, question)["n_observations"] == 4


@pytest.mark.parametrize("key", ["", "k" * 201, "ключ", "a\nb", 7, None, []])
def test_invalid_idempotency_key_is_refused(server: Server, key: object) -> None:
    context = make(server, observations=LINE)
    with streaming(server, context) as stream:
        answer = ask(stream, {"id": 1, "idempotency_key": key, "observation": {"x": [4], "y": 8}})
    if key is None:
        assert answer["n_observations"] == 4
    else:
        assert [detail["field"] for detail in answer["detail"]] == ["idempotency_key"], answer
        assert look(server, context)["n_observations"] == 3
