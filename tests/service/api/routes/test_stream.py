import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.closeness import assert_close
from tests.running import Server, running

LINE: dict[str, Any] = {"x": [[1], [2], [3]], "y": [2, 4, 6]}
LIMIT = 20_000


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(GDSSM_MAX_BODY_BYTES=str(LIMIT)) as server:
        yield server


def make(server: Server, **body: object) -> str:
    body = {"model": "linear", **body}
    if body["model"] == "linear":  # version 1 continues three points of a line exactly
        body = {"version": "1.0.0", **body}
    answer = httpx.post(f"{server.url}/v1/contexts", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def look(server: Server, context: str) -> dict[str, Any]:
    record: dict[str, Any] = httpx.get(f"{server.url}/v1/contexts/{context}").json()
    return record


@contextmanager
def streaming(server: Server, context: str) -> Iterator[ClientConnection]:
    with connect(f"{server.url.replace('http', 'ws')}/v1/contexts/{context}/stream", max_size=None) as stream:
        yield stream


def ask(stream: ClientConnection, message: object) -> dict[str, Any]:
    stream.send(message if isinstance(message, (str, bytes)) else json.dumps(message))
    answer: dict[str, Any] = json.loads(stream.recv(timeout=20))
    return answer


def test_stream_predicts_before_it_learns(server: Server) -> None:
    context = make(server, observations=LINE)
    version = look(server, context)["version"]
    with streaming(server, context) as stream:
        assert ask(stream, {"id": 7, "observation": {"x": [4], "y": 10}}) == {
            "id": 7,
            "prediction": pytest.approx(8),
            "error": pytest.approx(2),
            "n_observations": 4,
            "version": version + 1,
        }
    assert look(server, context)["n_observations"] == 4


def test_a_query_alone_changes_nothing(server: Server) -> None:
    context = make(server, observations=LINE)
    with streaming(server, context) as stream:
        answers = [ask(stream, {"id": "q", "query": [4]}) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["prediction"] == pytest.approx(8)
    assert [answers[0][name] for name in ("id", "error", "n_observations")] == ["q", None, 3]


def test_query_is_answered_before_the_observation_of_its_message(server: Server) -> None:
    with streaming(server, make(server, observations=LINE)) as stream:
        answer = ask(stream, {"query": [10], "observation": {"x": [4], "y": 11}})
        assert (answer["prediction"], answer["error"]) == (pytest.approx(20), pytest.approx(3))
        assert ask(stream, {"query": [10]})["prediction"] != pytest.approx(20)


def test_empty_context_predicts_nothing(server: Server) -> None:
    with streaming(server, make(server)) as stream:
        nothing, first = (ask(stream, m) for m in ({"query": [1, 2]}, {"observation": {"x": [1, 2], "y": 3}}))
        for n_observations, answer in enumerate((nothing, first)):
            found = [answer[name] for name in ("prediction", "error", "n_observations")]
            assert found == [None, None, n_observations]
        assert ask(stream, {"query": [1, 2]})["prediction"] == pytest.approx(3)


def test_predictions_are_rows_if_y_is(server: Server) -> None:
    with streaming(server, make(server, observations={"x": [[1], [2]], "y": [[1, 2], [2, 4]]})) as stream:
        answer = ask(stream, {"observation": {"x": [3], "y": [4, 6], "weight": 2}})
    assert answer["prediction"] == [pytest.approx(3), pytest.approx(6)]
    assert answer["error"] == [pytest.approx(1), pytest.approx(0, abs=1e-9)]


def test_weight_minus_one_removes_a_streamed_observation(server: Server) -> None:
    with streaming(server, make(server, observations=LINE)) as stream:
        ask(stream, {"observation": {"x": [9], "y": 0}})
        ask(stream, {"observation": {"x": [9], "y": 0, "weight": -1}})
        assert ask(stream, {"query": [4]})["prediction"] == pytest.approx(8)


def test_lossy_observation_is_refused_unless_allowed(server: Server) -> None:
    line = {"x": [[0], [1], [2], [3]], "y": [5, 7, 9, 11]}
    far = [({"x": [1e9], "y": 0}, "observation.x[0]"), ({"x": [1], "y": 1e20}, "observation.y")]
    with streaming(server, make(server, observations=line)) as stream:
        for observation, field in far:
            answer = ask(stream, {"observation": observation})
            assert (answer["error_type"], answer["detail"][0]["field"]) == ("precision_loss", field)
            allowed = ask(stream, {"observation": observation | {"allow_precision_loss": True}})
            assert allowed["n_observations"] >= 5


@pytest.mark.parametrize(
    ("model", "version"),
    [("gd-1", None), ("linear", None), ("linear", "1.0.0"), ("linear-trained", None), ("nonlinear", None)],
)
def test_streamed_prediction_equals_one_shot_prediction(server: Server, model: str, version: str | None) -> None:
    x = [[float((i * j) % 11) / 3 for j in range(1, 11)] for i in range(1, 8)]
    y = [float(i % 5) for i in range(1, 8)]
    with streaming(server, make(server, model=model, version=version)) as stream:
        for row, value in zip(x[:-1], y[:-1], strict=True):
            ask(stream, {"observation": {"x": row, "y": value}})
        streamed = ask(stream, {"query": x[-1]})["prediction"]
    body = {"model": model, "version": version, "context": {"x": x[:-1], "y": y[:-1]}, "query": x[-1:]}
    expected = httpx.post(f"{server.url}/v1/predict", json=body).json()["prediction"]
    assert_close([streamed], expected, "prediction", rtol=1e-5)


BAD = {
    "not JSON": ("{", None, "malformed_body", None),
    "nothing": ("", None, "malformed_body", None),
    "deep": ("[" * 9000, None, "malformed_body", None),
    "no object": ("[1]", None, "invalid_input", ""),
    "no work": ('{"id": 1}', 1, "invalid_input", ""),
    "a null cell": ('{"id": 2, "query": [null]}', 2, "invalid_input", "query[0]"),
    "a NaN": ('{"id": "b", "observation": {"x": [NaN], "y": 1}}', "b", "invalid_input", "observation.x[0]"),
    "a text for y": ('{"observation": {"x": [1], "y": "1"}}', None, "invalid_input", "observation.y"),
    "a row for x": ('{"observation": {"x": [[1]], "y": 1}}', None, "invalid_input", "observation.x[0]"),
    "no y": ('{"observation": {"x": [1]}}', None, "invalid_input", "observation.y"),
    "x of another width": ('{"observation": {"x": [1, 2], "y": 1}}', None, "invalid_input", "observation.x"),
    "y of another width": ('{"observation": {"x": [1], "y": [1, 2]}}', None, "invalid_input", "observation.y"),
    "both, the query of another width": (
        '{"id": 6, "query": [1, 2], "observation": {"x": [1], "y": 1}}',
        6,
        "invalid_input",
        "query",
    ),
    "a query of another width": ('{"id": -3, "query": [1, 2]}', -3, "invalid_input", "query"),
    "an unknown field": ('{"id": 4, "query": [1], "queries": []}', 4, "invalid_input", "queries"),
    "an object for the id": ('{"id": {}, "query": [1]}', None, "invalid_input", "id"),
    "an endless id": (json.dumps({"id": "i" * 1000, "query": [1]}), None, "invalid_input", "id"),
    "an overflow": (
        '{"id": 5, "observation": {"x": [1e200], "y": 1}}',
        5,
        "numeric_overflow",
        "observation.x[0]",
    ),
}


@pytest.mark.parametrize(("message", "name", "error_type", "field"), BAD.values(), ids=BAD)
def test_a_bad_message_is_answered_with_the_error_and_the_stream_goes_on(
    server: Server, message: str, name: object, error_type: str, field: str | None
) -> None:
    with streaming(server, make(server, observations=LINE)) as stream:
        answer = ask(stream, message)
        assert set(answer) == {"id", "error", "error_type", "detail"}
        assert (answer["id"], answer["error_type"]) == (name, error_type), answer
        assert ([entry["field"] for entry in answer["detail"]] if answer["detail"] else None) == (
            None if field is None else [field]
        )
        after = ask(stream, {"query": [4]})
        assert (after["prediction"], after["n_observations"]) == (pytest.approx(8), 3)


def test_binary_messages_are_accepted(server: Server) -> None:
    with streaming(server, make(server, observations=LINE)) as stream:
        assert ask(stream, b'{"query": [4]}')["prediction"] == pytest.approx(8)
        assert ask(stream, b'{"id": "\xff"}')["error_type"] == "malformed_body"


def test_unknown_context_refuses_the_handshake_with_the_error_body(server: Server) -> None:
    with pytest.raises(InvalidStatus) as refused, streaming(server, "unknown"):
        pass
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body)["error_type"] == "unknown_context"


def test_a_stream_ends_when_its_context_is_deleted(server: Server) -> None:
    context = make(server, observations=LINE)
    with streaming(server, context) as stream:
        ask(stream, {"query": [4]})
        httpx.delete(f"{server.url}/v1/contexts/{context}")
        answer = ask(stream, {"id": 9, "query": [4]})
        assert (answer["id"], answer["error_type"]) == (9, "unknown_context")
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404


def test_concurrent_streams_lose_no_observations(server: Server) -> None:
    context = make(server)

    def send(first: int) -> None:
        with streaming(server, context) as stream:
            for i in range(10):
                ask(stream, {"observation": {"x": [first + i], "y": 2 * (first + i)}})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(0, 40, 10)))
    with streaming(server, context) as stream:
        answer = ask(stream, {"query": [100]})
    assert answer["n_observations"] == 40
    assert answer["prediction"] == pytest.approx(200)


def test_pipelined_messages_are_answered_in_order(server: Server) -> None:
    with streaming(server, make(server)) as stream:
        for i in range(50):
            stream.send(json.dumps({"id": i, "observation": {"x": [i], "y": i}}))
        answers = [json.loads(stream.recv(timeout=20)) for _ in range(50)]
    assert [answer["id"] for answer in answers] == list(range(50))
    assert [answer["n_observations"] for answer in answers] == list(range(1, 51))


def test_disconnected_client_releases_its_stream(server: Server) -> None:
    context = make(server, observations=LINE)
    with streaming(server, context) as stream:
        stream.send(json.dumps({"observation": {"x": [4], "y": 8}}))
        stream.socket.shutdown(socket.SHUT_RDWR)
    assert httpx.get(f"{server.url}/health/ready").status_code == 200
    assert look(server, context)["n_observations"] in {3, 4}


def test_a_message_over_the_limit_ends_the_stream(server: Server) -> None:
    with streaming(server, make(server, observations=LINE)) as stream:
        stream.send(json.dumps({"query": [1.5] * LIMIT}))
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


@pytest.mark.slow
def test_a_server_that_stops_closes_its_streams() -> None:
    with running() as server:
        with streaming(server, make(server, observations=LINE)) as stream:
            ask(stream, {"query": [4]})
            assert server.stop() == 0
            with pytest.raises(ConnectionClosed) as closed:
                stream.recv(timeout=20)
        assert "Traceback" not in server.log
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001


@pytest.mark.slow
def test_a_context_that_finds_its_decay_predicts_and_learns_message_after_message(server: Server) -> None:
    streamed, posted = (make(server, version="2.0.0", decay="auto") for _ in range(2))
    rows = [([float(i % 5), float(i % 3)], float(i % 5 - i % 3 + (i * i) % 7)) for i in range(11)]
    with streaming(server, streamed) as stream:
        answers = [ask(stream, {"observation": {"x": x, "y": y}, "interval": 0.9}) for x, y in rows]
    assert answers[0]["prediction"] is None
    assert answers[-1]["interval"]["lower"] < answers[-1]["prediction"] < answers[-1]["interval"]["upper"]
    body = {"x": [x for x, _ in rows], "y": [y for _, y in rows]}
    httpx.post(f"{server.url}/v1/contexts/{posted}/observations", json=body).raise_for_status()
    for name in ("decay", "memory_length", "n_observations", "implicit_weights"):
        assert look(server, streamed)[name] == look(server, posted)[name]
