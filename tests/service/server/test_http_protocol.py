"""Invalid and slow HTTP: refused with the error body of the service, in limited time and memory."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import BinaryIO

import httpx
import pytest

from service.server.http_protocol import HEAD_SIZE_LIMIT, PIPELINE_LIMIT
from tests.nonempty import nonempty
from tests.running import Server, running

TIMEOUT = 1
LINE = json.dumps({"context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4], [5]]}).encode()
POST = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(GDSSM_REQUEST_TIMEOUT=str(TIMEOUT), GDSSM_MAX_BODY_BYTES="30000000") as server:
        yield server


def everything(line: socket.socket) -> bytes:
    """Read until the service closes the connection."""
    return b"".join(iter(partial(line.recv, 65536), b""))


def check(answer: bytes, status: int, error_type: str) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert b"connection: close" in head.lower()
    assert b"content-type: application/json" in head.lower()
    found = json.loads(body)
    assert set(found) == {"error", "error_type", "detail"}
    assert found["error_type"] == error_type
    return str(found["error"])


def is_healthy(server: Server) -> bool:
    return httpx.post(f"{server.url}/v1/predict", content=LINE, headers={"Content-Type": "application/json"}).is_success


BROKEN = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a strange version": b"GET / HTTP/9.9\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\n: a\r\n\r\n",
    "a length that is no number": POST + b"Content-Length: 1e9\r\n\r\n",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    "two content types": POST + b"Content-Type: text/plain\r\n\r\n",
    "two keys": POST + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    "two origins": POST + b"Origin: http://localhost\r\nOrigin: http://foreign.example\r\n\r\n",
    "two idempotency keys": POST + b"Idempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "a target at another host": b"GET http://foreign.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a folded zero": b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
def test_malformed_http_is_400(server: Server, sent: bytes) -> None:
    with server.connect() as line:
        line.sendall(sent)
        check(everything(line), 400, "malformed_body")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * HEAD_SIZE_LIMIT + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nLong: " + b"a" * HEAD_SIZE_LIMIT + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nLong: " + b"a" * HEAD_SIZE_LIMIT * 4,
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * HEAD_SIZE_LIMIT,
    ],
    ids=["address", "header", "header without end", "many headers"],
)
def test_head_over_the_limit_is_400(server: Server, head: bytes) -> None:
    with server.connect() as line:
        line.sendall(head)
        assert check(everything(line), 400, "malformed_body") == (
            f"Request line, headers and trailers may have at most {HEAD_SIZE_LIMIT} bytes together. Send fewer."
        )


def test_many_headers_within_the_limit_are_accepted(server: Server) -> None:
    with server.connect() as line:
        line.sendall(
            b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + b"A: 1234567890\r\n" * 4000 + b"\r\n"
        )
        assert everything(line).startswith(b"HTTP/1.1 200 ")


def test_slow_head_is_408(server: Server) -> None:
    with server.connect() as line:
        line.sendall(b"GET /health/live HTTP/1.1\r\nHost:")
        begin = time.monotonic()
        check(everything(line), 408, "too_slow")
        assert time.monotonic() - begin < TIMEOUT + 30


def test_slow_second_head_on_a_connection_is_408(server: Server) -> None:
    with server.connect() as line:
        line.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = b""
        while not answer.endswith(b'"}'):
            answer += line.recv(65536)
        line.sendall(b"GET /health/live")
        check(everything(line), 408, "too_slow")


@pytest.mark.parametrize("length", [b"Content-Length: 100\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_slow_body_is_408(server: Server, length: bytes) -> None:
    with server.connect() as line:
        line.sendall(POST + length + b"\r\n")
        line.settimeout(0.1)
        answer = b""
        for _ in range(int(10 * TIMEOUT) + 100):
            line.sendall(b"1\r\n \r\n" if b"chunked" in length else b" ")
            try:
                answer = line.recv(65536)
                break
            except TimeoutError:
                continue
        line.settimeout(10)
        check(answer + everything(line), 408, "too_slow")  # head and body may arrive separately


def test_bytes_after_an_overlong_body_are_ignored(server: Server) -> None:
    with server.connect() as line:
        line.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(LINE) + LINE + b"rest\r\n\r\n")
        answer = everything(line)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.count(b"HTTP/1.1") == 1


def test_broken_chunks_are_400(server: Server) -> None:
    with server.connect() as line:
        line.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
        line.sendall(b"not a length\r\n")
        check(everything(line), 400, "malformed_body")


def test_incomplete_body_is_400(server: Server) -> None:
    with server.connect() as line:
        line.sendall(POST + b"Content-Length: %d\r\n\r\n" % (len(LINE) + 9) + LINE)
    assert is_healthy(server)


def test_idle_connections_are_closed_and_do_not_block_others(server: Server) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(server.connect()) for _ in range(300)]
        assert is_healthy(server)
        for line in nonempty(idle):
            assert everything(line) == b""  # without a response, as there was no request


def test_unread_responses_are_aborted(server: Server) -> None:
    """Responses of a megabyte: together more than the socket buffers."""
    ask = b"GET /static-offline-docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with server.connect() as line:
        line.sendall(ask * 30)
        time.sleep(3 * TIMEOUT)  # the test is about elapsed time
        assert 0 < len(everything(line)) < 30 * 10**6  # incomplete
    assert is_healthy(server)


OFFERS = {
    "HTTP/2": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
    "TLS": b"Upgrade: TLS/1.2\r\nConnection: keep-alive, upgrade\r\n",
    "WebSocket, by POST": b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    "nothing": b"",
}


def answers(line: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """Read one response for each request."""
    with line.makefile("rb") as file:
        return [answer_in(file) for _ in range(count)]


def answer_in(file: BinaryIO) -> tuple[int, bytes]:
    status = int(file.readline().split()[1])
    headers = dict(header.lower().split(b": ", 1) for header in iter(file.readline, b"\r\n"))
    return status, file.read(int(headers[b"content-length"]))


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
@pytest.mark.parametrize("pieces", [1, 7])
def test_upgrade_to_another_protocol_is_ignored(server: Server, offer: bytes, pieces: int) -> None:
    whole = POST + offer + b"Content-Length: %d\r\n\r\n" % len(LINE) + LINE
    chunked = POST + offer + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(LINE), LINE)
    health = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + offer.replace(b"websocket", b"other") + b"\r\n"
    sent = whole + chunked + health + whole
    with server.connect() as line:
        for start in range(0, len(sent), step := -(-len(sent) // pieces)):
            line.sendall(sent[start : start + step])
            time.sleep(0.02 * (pieces > 1))
        first, second, third, last = answers(line, 4)
    assert [first[0], second[0], third[0], last[0]] == [200] * 4
    assert json.loads(first[1]) == json.loads(second[1]) == json.loads(last[1])
    assert json.loads(third[1])["status"] == "live"


def test_connect_is_refused(server: Server) -> None:
    with server.connect() as line:
        line.sendall(b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert everything(line).startswith((b"HTTP/1.1 40", b"HTTP/1.1 5"))
    assert is_healthy(server)


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"deflate,chunked"])
def test_compressed_transfer_is_415(server: Server, coding: bytes) -> None:
    with server.connect() as line:
        line.sendall(POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n")
        assert "must not be compressed" in check(everything(line), 415, "unsupported_content_type")


def test_target_may_have_the_host(server: Server) -> None:
    with server.connect() as line:
        line.sendall(b"GET http://LOCALHOST/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert everything(line).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("zeros", [1, 20, 5000])
def test_content_length_may_have_leading_zeros(server: Server, zeros: int) -> None:
    with server.connect() as line:
        line.sendall(POST + b"Content-Length: %s%d\r\n\r\n" % (b"0" * zeros, len(LINE)) + LINE)
        ((status, _),) = answers(line, 1)
    assert status == 200


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n" % (len(LINE), LINE)


@pytest.mark.parametrize(
    "rest",
    [
        b"0\r\n" + b"1000:1000\r\n" * HEAD_SIZE_LIMIT,
        b"0\r\nLong: " + b"a" * HEAD_SIZE_LIMIT * 4,
        b"1;" + b"a" * HEAD_SIZE_LIMIT * 4,
    ],
    ids=["many", "one without end", "an extension of a chunk"],
)
def test_trailers_over_the_limit_of_the_head_are_400(server: Server, rest: bytes) -> None:
    with server.connect() as line:
        line.sendall(CHUNKED + rest)
        assert check(everything(line), 400, "malformed_body") == (
            f"Request line, headers and trailers may have at most {HEAD_SIZE_LIMIT} bytes together. Send fewer."
        )


def test_trailers_count_together_with_the_headers(server: Server) -> None:
    half = b"a" * (HEAD_SIZE_LIMIT // 2)
    head = CHUNKED.replace(b"Host: localhost", b"Host: localhost\r\nLong: " + half)
    with server.connect() as line:
        line.sendall(head + b"0\r\nLong: " + half + b"\r\n\r\n")
        check(everything(line), 400, "malformed_body")


def test_trailers_are_discarded(server: Server) -> None:
    """With this idempotency key a request is refused."""
    bad = b"Idempotency-Key: " + b"a" * 300 + b"\r\n"
    post = b"POST /v1/contexts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    chunked = post + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + bad + b"\r\n"
    last = post + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"
    with server.connect() as line:
        line.sendall(chunked + last)
        assert everything(line).count(b"HTTP/1.1 201 ") == 2


def test_body_that_continues_after_a_refusal_is_cut_off(server: Server) -> None:
    """The request is refused with 415 before its body arrives; its trailers are endless."""
    with server.connect() as line:
        line.sendall(CHUNKED.replace(b"application/json", b"text/plain"))
        assert [status for status, _ in answers(line, 1)] == [415]  # head and body may arrive separately
        line.sendall(b"0\r\n" + b"1000:1000\r\n" * HEAD_SIZE_LIMIT)
        begin = time.monotonic()
        assert everything(line) == b""  # no second response
        assert time.monotonic() - begin < 30


def test_pipelined_requests_over_the_limit_are_refused(server: Server) -> None:
    with server.connect() as line:
        line.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5000)
        assert 1 <= everything(line).count(b"HTTP/1.1 200 ") <= PIPELINE_LIMIT + 1
    assert is_healthy(server)


@pytest.mark.slow
def test_invalid_body_during_a_response_adds_no_second_response() -> None:
    with running() as server, server.connect() as line:
        body = {"models": ["linear"], "suite": "paper", "tasks": 5000}
        started = httpx.post(f"{server.url}/v1/evaluations", json=body).raise_for_status()
        head = f"GET {started.headers['location']}/events HTTP/1.1\r\nHost: localhost\r\n"
        line.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        received = b""
        while b"event: progress" not in received:
            received += line.recv(65536)
        line.sendall(b"no length\r\n")
        assert (received + everything(line)).count(b"HTTP/1.1") == 1
