"""Responses have byte for byte what uvicorn writes, and its refusals."""

import asyncio
import logging
from typing import Any

import pytest
from uvicorn._types import ASGISendEvent, HTTPResponseBodyEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from service.server.responses import COPIED_BYTES, ResponseSender

LOGGER = logging.getLogger(__name__)
LENGTH = (b"content-length", b"2")
HEADS = {
    "plain": [LENGTH, (b"content-type", b"application/json"), (b"ratelimit", b'"key";r=1;t=2')],
    "another header": [LENGTH, (b"location", b"/v1/contexts/1")],
    "upper case": [(b"Content-Length", b"2")],
    "connection": [LENGTH, (b"connection", b"close")],
    "a repeated header": [LENGTH, (b"etag", b"1"), (b"etag", b"2")],
    "no length": [(b"content-type", b"text/plain")],
    "a tab": [LENGTH, (b"content-type", b"a\tb")],
}


BODIES = {
    "empty": [b""],
    "whole": [b"{}"],
    "in pieces": [b"{", b"", b"}"],
    "large": [b"1" * (COPIED_BYTES + 1)],
    "begins with a large piece": [b"1" * (COPIED_BYTES + 1), b"2"],
}


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.writes.append(b"closed")


def cycle_of(
    *, keep_alive: bool = True, method: str = "POST", version: str = "1.1"
) -> tuple[RequestResponseCycle, Transport]:
    transport = Transport()
    scope: Any = {"method": method, "http_version": version}
    date = [(b"date", b"today")]
    done = asyncio.Event()
    flow, log = FlowControl(transport), (LOGGER, LOGGER, False)
    return RequestResponseCycle(scope, transport, flow, *log, date, done, False, keep_alive, lambda: None), transport


def start(headers: list[tuple[bytes, bytes]]) -> HTTPResponseStartEvent:
    return {"type": "http.response.start", "status": 200, "headers": headers}


def body(content: bytes, *, more: bool = False) -> HTTPResponseBodyEvent:
    return {"type": "http.response.body", "body": content, "more_body": more}


def send(sender: ResponseSender | RequestResponseCycle, *messages: ASGISendEvent) -> None:
    async def send_each() -> None:
        for message in messages:
            await sender.send(message)

    asyncio.run(send_each())


@pytest.mark.parametrize("keep_alive", [True, False])
@pytest.mark.parametrize("headers", HEADS.values(), ids=HEADS)
def test_response_has_the_bytes_of_uvicorn(headers: list[tuple[bytes, bytes]], keep_alive: bool) -> None:
    ours, written = cycle_of(keep_alive=keep_alive)
    theirs, expected = cycle_of(keep_alive=keep_alive)
    for sender in (ResponseSender(ours), theirs):
        send(sender, start(headers), body(b"{}"))
    assert b"".join(written.writes) == b"".join(expected.writes)
    assert ours.response_complete


@pytest.mark.parametrize("method", ["POST", "HEAD"])
@pytest.mark.parametrize("pieces", BODIES.values(), ids=BODIES)
def test_body_has_the_bytes_of_uvicorn(pieces: list[bytes], method: str) -> None:
    ours, written = cycle_of(method=method)
    theirs, expected = cycle_of(method=method)
    length = [(b"content-length", b"%d" % sum(map(len, pieces)))]
    *first, last = pieces
    for sender in (ResponseSender(ours), theirs):
        send(sender, start(length), *(body(piece, more=True) for piece in first), body(last))
    assert b"".join(written.writes) == b"".join(expected.writes)
    assert ours.response_complete


def test_head_and_body_are_one_write() -> None:
    cycle, transport = cycle_of()
    send(ResponseSender(cycle), start([LENGTH]), body(b"{}"))
    assert len(transport.writes) == 1


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\x00b", b"a\x7fb"])
def test_control_characters_are_refused(value: bytes) -> None:
    cycle, transport = cycle_of()
    with pytest.raises(RuntimeError, match="Invalid HTTP header value"):
        send(ResponseSender(cycle), start([LENGTH, (b"content-type", value)]))
    assert not transport.writes


@pytest.mark.parametrize(("content", "problem"), [(b"{} ", "longer"), (b"{", "shorter")])
def test_body_of_another_length_is_refused(content: bytes, problem: str) -> None:
    cycle, _ = cycle_of()
    with pytest.raises(RuntimeError, match=f"{problem} than Content-Length"):
        send(ResponseSender(cycle), start([LENGTH]), body(content))


def test_second_head_is_refused() -> None:
    cycle, transport = cycle_of()
    with pytest.raises(RuntimeError, match="Expected ASGI message"):
        send(ResponseSender(cycle), start([LENGTH]), start([LENGTH]))
    assert not transport.writes


@pytest.mark.parametrize("content", [b"{}", b"1" * (COPIED_BYTES + 1)], ids=["small", "large"])
def test_nothing_is_written_to_a_client_that_has_gone(content: bytes) -> None:
    cycle, transport = cycle_of()
    sender = ResponseSender(cycle)
    send(sender, start([(b"content-length", b"%d" % len(content))]))
    cycle.disconnected = True
    send(sender, body(content))
    assert not transport.writes


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [[], [(b"cache-control", b"no-store")], [(b"Content-Length", b"2")]])
def test_http_1_0_gets_no_chunks(headers: list[tuple[bytes, bytes]], method: str) -> None:
    cycle, transport = cycle_of(keep_alive=False, method=method, version="1.0")
    send(ResponseSender(cycle), start(headers), body(b"{", more=True), body(b"", more=True), body(b"}"))
    head, _, content = b"".join(transport.writes).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert content == (b"closed" if method == "HEAD" else b"{}closed")
    assert cycle.response_complete
