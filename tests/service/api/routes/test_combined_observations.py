"""Requests that wait for one context are learnt in one transaction, and answered as if each had come alone."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from service.contexts.records import ContextRecord
from service.errors import ServiceError
from service.settings import Settings
from tests.nonempty import nonempty
from tests.service.in_process import InProcess, in_process

TIMEOUT = 60.0
ROWS = [{"x": [[float(i), float(i * i % 7)]], "y": [2.0 * i + 0.1 * (i % 3)]} for i in range(1, 13)]


@pytest.fixture
def client(database_url: str) -> Iterator[InProcess]:
    with in_process(Settings(database_url=database_url, auth="off")) as client:
        yield client


@contextmanager
def busy(client: InProcess, context: str) -> Iterator[None]:
    """Have the turn at a context, as another replica has while its transaction runs."""
    with client.state.database.transaction() as connection:
        client.state.contexts.repository.wait_for_turn(connection, context)
        yield


def wait_for(client: InProcess, waiting: int) -> None:
    """Wait until so many requests wait for a context."""
    deadline = time.monotonic() + TIMEOUT
    while sum(map(len, client.state.combiner._queues.values())) < waiting:
        assert time.monotonic() < deadline, "they do not come"
        time.sleep(0.005)


def together(
    client: InProcess, context: str, bodies: Sequence[object], headers: Sequence[dict[str, str]] = ()
) -> list[httpx.Response]:
    """Send requests that all wait for the same transaction."""
    path = f"/v1/contexts/{context}/observations"
    headers = headers or [{}] * len(bodies)
    with ThreadPoolExecutor(len(bodies)) as threads:
        with busy(client, context):
            sent = []
            for body, header in zip(bodies, headers, strict=True):
                sent.append(threads.submit(client.request, "POST", path, json=body, headers=header))
                wait_for(client, len(sent))
        return [one.result() for one in sent]


def create(client: InProcess, **options: object) -> str:
    answer = client.request("POST", "/v1/contexts", json={"model": "linear", **options})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def state(client: InProcess, context: str) -> bytes:
    return client.get(f"/v1/contexts/{context}/state").content


@pytest.mark.slow
@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_a_combination_leaves_the_same_bits_as_single_requests(client: InProcess, model: str) -> None:
    combined, single = create(client, model=model), create(client, model=model)
    answers = together(client, combined, ROWS)
    for body, answer in nonempty(list(zip(ROWS, answers, strict=True))):
        alone = client.request("POST", f"/v1/contexts/{single}/observations", json=body)
        assert answer.status_code == alone.status_code == 200
        assert answer.headers["etag"] == alone.headers["etag"]
        different = {"id", "created", "updated", "expires"}
        here, there = ({k: v for k, v in one.json().items() if k not in different} for one in (answer, alone))
        assert here == there
    assert state(client, combined) == state(client, single)


@pytest.mark.slow
def test_a_combination_is_one_transaction(client: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    context, calls = create(client), []
    learn = client.state.contexts.observe_waiting

    def counted(*arguments: Any) -> list[ContextRecord | ServiceError]:  # noqa: ANN401  (as they come)
        results = learn(*arguments)
        calls.append(len(results))
        return results

    monkeypatch.setattr(client.state.contexts, "observe_waiting", counted)
    assert {answer.status_code for answer in nonempty(together(client, context, ROWS))} == {200}
    assert calls == [len(ROWS)]


@pytest.mark.slow
def test_errors_and_preconditions_are_those_of_each_request(client: InProcess) -> None:
    context = create(client, observations=ROWS[0])
    bodies = [ROWS[1], {"x": [[1.0]], "y": [1.0]}, ROWS[2], ROWS[3], ROWS[4]]
    conditions = [{"If-Match": '"1"'}, {}, {"If-Match": '"1"'}, {"If-Match": '"2"'}, {}]
    answers = together(client, context, bodies, conditions)
    assert [answer.status_code for answer in answers] == [200, 422, 412, 200, 200]
    assert [answer.json()["version"] for answer in answers if answer.status_code == 200] == [2, 3, 4]
    assert client.get(f"/v1/contexts/{context}").json()["n_observations"] == 4


@pytest.mark.slow
def test_a_key_that_comes_twice_in_a_combination_counts_once(client: InProcess) -> None:
    context = create(client)
    keys = [{"Idempotency-Key": key} for key in ("a", "a", "b", "a")]
    first, again, other, conflict = together(client, context, [ROWS[0], ROWS[0], ROWS[1], ROWS[2]], keys)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert (first.json()["version"], other.json()["version"], conflict.status_code) == (2, 3, 409)
    later = client.request(
        "POST", f"/v1/contexts/{context}/observations", json=ROWS[1], headers={"Idempotency-Key": "b"}
    )
    assert later.content == other.content
    assert client.get(f"/v1/contexts/{context}").json()["version"] == 3


@pytest.mark.slow
def test_a_failed_request_leaves_its_key_free(client: InProcess) -> None:
    context = create(client, observations=ROWS[0])
    keys = [{"Idempotency-Key": "a"}, {"Idempotency-Key": "b"}]
    wrong, right = together(client, context, [{"x": [[1.0]], "y": [1.0]}, ROWS[1]], keys)
    assert (wrong.status_code, right.status_code) == (422, 200)
    later = client.request(
        "POST", f"/v1/contexts/{context}/observations", json=ROWS[2], headers={"Idempotency-Key": "a"}
    )
    assert later.json()["version"] == 3


@pytest.mark.slow
def test_rows_of_tables_are_learnt_together(client: InProcess) -> None:
    first = [{"size": i, "town": "ab"[i % 2], "price": 2.0 * i} for i in range(10)]
    made = client.request("POST", "/v1/contexts", json={"model": "linear", "rows": first, "target": "price"})
    context = made.json()["id"]
    bodies = [{"rows": [{"size": i, "town": "abc"[i % 3], "price": 2.0 * i}]} for i in range(4)]
    answers = together(client, context, [*bodies, {"rows": [{"size": 1, "price": "much"}]}])
    assert [answer.status_code for answer in answers[:4]] == [200] * 4
    assert [answer.json()["version"] for answer in answers[:4]] == [2, 3, 4, 5]
    assert client.get(f"/v1/contexts/{context}").json()["n_observations"] == 14


@pytest.mark.slow
def test_a_context_that_is_deleted_meanwhile_is_unknown_to_all(client: InProcess) -> None:
    context = create(client)
    with ThreadPoolExecutor(2) as threads:
        with client.state.database.transaction() as connection:
            client.state.contexts.repository.wait_for_turn(connection, context)
            path = f"/v1/contexts/{context}/observations"
            sent = [threads.submit(client.request, "POST", path, json=body) for body in ROWS[:2]]
            wait_for(client, 2)
            connection.exec_driver_sql("DELETE FROM contexts")
        assert [one.result().status_code for one in sent] == [404, 404]


@pytest.mark.slow
def test_statistics_count_each_request(client: InProcess) -> None:
    context = create(client)
    together(client, context, ROWS)
    metrics = client.get("/metrics").text
    name = "gdssm_request_observations_count"
    (line,) = [line for line in metrics.splitlines() if line.startswith(f'{name}{{model="linear"}}')]
    assert float(line.split()[1]) == len(ROWS)
    assert 'gdssm_request_observations_bucket{le="1.0",model="linear"} ' + f"{float(len(ROWS))}" in metrics
    assert "gdssm_queue 0.0" in metrics
