"""Messages of several streams of one context share transactions; each is answered from the state before it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event

from service.settings import Settings
from tests.nonempty import nonempty
from tests.service.api.routes.test_combined_observations import ROWS, busy, create, state, wait_for
from tests.service.in_process import InProcess, WebSocket, in_process

XY: list[Any] = [(row["x"], row["y"]) for row in ROWS]
MESSAGES = [{"id": i, "observation": {"x": x[0], "y": y[0]}} for i, (x, y) in enumerate(XY)]


@pytest.fixture
def client(database_url: str) -> Iterator[InProcess]:
    with in_process(Settings(database_url=database_url, auth="off")) as client:
        yield client


@contextmanager
def streams(client: InProcess, context: str, count: int) -> Iterator[list[WebSocket]]:
    with ExitStack() as opened:
        yield [opened.enter_context(client.websocket(f"/v1/contexts/{context}/stream")) for _ in range(count)]


@contextmanager
def counted_commits(client: InProcess) -> Iterator[list[bool]]:
    """Count the transactions that change contexts."""
    engine, commits = client.state.database._engine, list[bool]()

    def executed(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE contexts"):
            connection.info["contexts"] = True

    def committed(connection: Connection) -> None:
        if connection.info.pop("contexts", False):
            commits.append(True)

    event.listen(engine, "after_cursor_execute", executed)
    event.listen(engine, "commit", committed)
    try:
        yield commits
    finally:
        event.remove(engine, "after_cursor_execute", executed)
        event.remove(engine, "commit", committed)


def together(client: InProcess, context: str, messages: Sequence[object]) -> list[dict[str, Any]]:
    """Send messages that all wait for the same transaction, each on another stream."""
    with streams(client, context, len(messages)) as opened:
        with busy(client, context):
            for number, (stream, message) in enumerate(zip(opened, messages, strict=True), 1):
                stream.send(message)
                wait_for(client, number)
        return [stream.receive() for stream in opened]


def one_by_one(client: InProcess, context: str, messages: Sequence[object]) -> list[dict[str, Any]]:
    with streams(client, context, 1) as (stream,):
        answers = []
        for message in messages:
            stream.send(message)
            answers.append(stream.receive())
        return answers


@pytest.mark.slow
@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_messages_of_several_streams_are_one_transaction_with_the_answers_of_several(
    client: InProcess, model: str
) -> None:
    combined, single = create(client, model=model), create(client, model=model)
    with counted_commits(client) as commits:
        answers = together(client, combined, MESSAGES)
        assert len(commits) == 1
        assert answers == one_by_one(client, single, MESSAGES)
        assert len(commits) == 1 + len(MESSAGES)
    assert [answer["version"] for answer in answers] == [*range(2, 2 + len(MESSAGES))]
    assert answers[0]["prediction"] is None
    assert all(answer["error"] is not None for answer in nonempty(answers[1:]))
    assert state(client, combined) == state(client, single)


@pytest.mark.slow
def test_a_message_and_a_request_are_learnt_together(client: InProcess) -> None:
    context = create(client, observations=ROWS[0])
    path = f"/v1/contexts/{context}/observations"
    with streams(client, context, 2) as (one, other), ThreadPoolExecutor(1) as thread:
        with counted_commits(client) as commits:
            with busy(client, context):
                one.send(MESSAGES[1])
                wait_for(client, 1)
                request = thread.submit(client.request, "POST", path, json=ROWS[2])
                wait_for(client, 2)
                other.send(MESSAGES[3])
                wait_for(client, 3)
            versions = [one.receive()["version"], request.result().json()["version"], other.receive()["version"]]
        assert (versions, len(commits)) == ([2, 3, 4], 1)


@pytest.mark.slow
def test_answers_of_each_stream_keep_the_order_of_its_messages(client: InProcess) -> None:
    context, count = create(client), 4
    with streams(client, context, count) as opened:
        for message in MESSAGES:
            for stream in opened:
                stream.send(message)
        found = [[stream.receive() for _ in MESSAGES] for stream in opened]
    for answers in nonempty(found):
        assert [answer["id"] for answer in answers] == [message["id"] for message in MESSAGES]
        versions = [answer["version"] for answer in answers]
        assert versions == sorted(versions)
    versions = [answer["version"] for answers in found for answer in answers]
    assert sorted(versions) == [*range(2, 2 + count * len(MESSAGES))]


@pytest.mark.slow
def test_errors_and_keys_are_those_of_each_message(client: InProcess) -> None:
    context = create(client, observations=ROWS[0])
    keyed, again = ({**MESSAGES[1], "id": name, "idempotency_key": "a"} for name in ("first", "again"))
    wrong = {"id": "wrong", "observation": {"x": [1], "y": 1}, "idempotency_key": "b"}
    other = {**MESSAGES[2], "idempotency_key": "a"}
    answers = together(client, context, [keyed, wrong, again, other, MESSAGES[3]])
    assert [answer.get("version") for answer in answers] == [2, None, 2, None, 3]
    assert [answer.get("error_type") for answer in answers] == [None, "invalid_input", None, "conflict", None]
    assert answers[1]["detail"][0]["field"] == "observation.x"
    assert answers[2] == answers[0] | {"id": "again"}
    later = one_by_one(client, context, [keyed, {**MESSAGES[4], "idempotency_key": "b"}])
    assert later[0] == answers[0]
    assert later[1]["version"] == 4


@pytest.mark.slow
def test_rows_of_tables_are_learnt_together(client: InProcess) -> None:
    first = [{"size": i, "town": "ab"[i % 2], "price": 2.0 * i} for i in range(10)]
    combined, single = (
        client.request("POST", "/v1/contexts", json={"model": "linear", "rows": first, "target": "price"}).json()["id"]
        for _ in range(2)
    )
    messages = [{"row": {"size": i, "town": "abc"[i % 3], "price": 2.0 * i}} for i in range(4)]
    with counted_commits(client) as commits:
        answers = together(client, combined, messages)
        assert len(commits) == 1
    assert answers == one_by_one(client, single, messages)
    assert [answer["version"] for answer in answers] == [2, 3, 4, 5]
