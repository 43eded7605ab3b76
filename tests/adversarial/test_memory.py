"""After a burst of bodies, memory returns to about its size before; other callers do not wait long meanwhile."""

import io
from collections.abc import Callable, Iterator

import httpx
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.adversarial.attacks import (
    BIG,
    JSON,
    MARGIN,
    MB,
    idle,
    is_back,
    is_healthy,
    live,
    new_context,
    resident,
    send_all,
)
from tests.running import Server, running

pytestmark = pytest.mark.adversarial

BYTES, CSV = {"Content-Type": "application/octet-stream"}, {"Content-Type": "text/csv"}
BODIES = {
    "names": ("/v1/predict", BIG, JSON, 422),
    "no end": ("/v1/predict", BIG[:-1], JSON, 400),
    "another kind": ("/v1/predict", BIG, {}, 415),
    "a context": ("/v1/contexts", BIG, JSON, 422),
    "an evaluation": ("/v1/evaluations", BIG, JSON, 422),
    "tensors": ("/v2/models/linear/infer", BIG, JSON, 422),
    "a state": ("/v1/contexts/import", BIG, BYTES, 422),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def before(server: Server) -> int:
    """Return the resident bytes of an idle service that has read a file once: the libraries for it stay, 80 MB."""
    answer = httpx.post(f"{server.url}/v1/predict?target=b", content=b"a,b\n1,2\n2,3\n3,\n", headers=CSV)
    assert answer.status_code == 200, answer.text
    return idle(server)


@pytest.mark.slow
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_refused_bodies_release_their_memory(
    server: Server, before: int, body: tuple[str, bytes, dict[str, str], int]
) -> None:
    path, content, headers, status = body
    with httpx.Client(timeout=60) as client:
        for _ in range(40):
            assert client.post(server.url + path, content=content, headers=headers).status_code == status
    assert is_back(server, before)


@pytest.mark.slow
def test_websocket_messages_release_their_memory(server: Server, before: int) -> None:
    context = new_context(server)
    for _ in range(30):
        with live(server, context) as line:
            line.send(BIG.decode())
            assert "not a field" in str(line.recv(timeout=60))
    assert is_back(server, before)


def test_endless_trailers_use_no_memory(server: Server, before: int) -> None:
    head = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n"
    with server.connect() as line, pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
        # 44 GB at most: an idle machine passes 4 in the second before the connection is closed.
        send_all(line, head, *[b"1000:1000\r\n" * 100_000] * 40_000)
    assert resident(server) <= before + MARGIN
    assert is_healthy(server)


def many_names() -> bytes:
    return b",".join(b'"a%d":1' % i for i in range(10**6))


def rows_in_json() -> bytes:
    return b'{"target":"b","rows":[' + b",".join([b'{"a":%d,"b":1}' % i for i in range(400_000)]) + b"]}"


def csv_file() -> bytes:
    return b"a,b\n" + b"".join([b"%d,text %d\n" % (i, i) for i in range(500_000)])


def table_file(kind: str) -> bytes:
    columns = {f"c{i}": np.random.default_rng(i).normal(size=160_000) for i in range(10)}
    table, sink = pa.table(columns), io.BytesIO()
    if kind == PARQUET:
        parquet.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


PARQUET, ARROW = "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream"
TABLES: dict[str, tuple[str, str, Callable[[], bytes], int]] = {
    "JSON rows without queries": ("", "application/json", rows_in_json, 422),
    "CSV without the target": ("?target=c", "text/csv", csv_file, 422),
    "CSV with a text as the target": ("?target=b", "text/csv", csv_file, 422),
    "CSV without end": ("?target=a", "text/csv", lambda: b'a,b\n"' + b"x" * 14 * MB, 422),
    "Parquet without the target": ("?target=a", PARQUET, lambda: table_file(PARQUET), 422),
    "incomplete Parquet": ("?target=c0", PARQUET, lambda: table_file(PARQUET)[:-100], 422),
    "Arrow without the target": ("?target=a", ARROW, lambda: table_file(ARROW), 422),
    "incomplete Arrow": ("?target=c0", ARROW, lambda: table_file(ARROW)[:-MB], 422),
}


@pytest.mark.slow
@pytest.mark.parametrize("body", TABLES.values(), ids=TABLES)
def test_tables_release_their_memory(
    server: Server, before: int, body: tuple[str, str, Callable[[], bytes], int]
) -> None:
    parameters, kind, make, status = body
    content = make()
    with httpx.Client(timeout=60) as client:
        for _ in range(10):
            answer = client.post(
                f"{server.url}/v1/predict{parameters}", content=content, headers={"Content-Type": kind}
            )
            assert answer.status_code == status, answer.text
    assert is_back(server, before)


MANY: dict[str, tuple[str, Callable[[], bytes]]] = {
    "rows": (
        "/v1/evaluations",
        lambda: b'{"models":["linear"],"suite":"data","data":{"x":[' + b'"",' * 1_500_000 + b'""],"y":[1]}}',
    ),
    "names": ("/v1/predict", lambda: b"{" + many_names() + b"}"),
    "names inside": ("/v1/contexts", lambda: b'{"observations":{' + many_names() + b"}}"),
    "tensors": ("/v2/models/linear/infer", lambda: b'{"inputs":[' + b"{}," * 1_500_000 + b"{}]}"),
}


@pytest.mark.parametrize("case", MANY.values(), ids=MANY)
def test_memory_for_many_mistakes_is_proportional_to_the_body(
    server: Server, before: int, case: tuple[str, Callable[[], bytes]]
) -> None:
    path, body = case
    content = body()
    answer = httpx.post(server.url + path, content=content, headers=JSON, timeout=60)
    assert answer.status_code == 422
    assert len(answer.json()["detail"]) <= 20
    assert resident(server) <= before + MARGIN + 20 * len(content)
    assert is_back(server, before)
