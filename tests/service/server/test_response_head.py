"""Heads of responses: byte for byte those that uvicorn writes, and with its refusals."""

import asyncio
import logging
from typing import Any

import pytest
from uvicorn._types import HTTPResponseBodyEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from service.server import response_head

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


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.written += b"closed"


def cycle_of(*, keep_alive: bool = True) -> tuple[RequestResponseCycle, Transport]:
    transport = Transport()
    scope: Any = {"method": "POST"}
    date = [(b"date", b"today")]
    done = asyncio.Event()
    flow, log = FlowControl(transport), (LOGGER, LOGGER, False)
    return RequestResponseCycle(scope, transport, flow, *log, date, done, False, keep_alive, lambda: None), transport


def start(headers: list[tuple[bytes, bytes]]) -> HTTPResponseStartEvent:
    return {"type": "http.response.start", "status": 200, "headers": headers}


def body(content: bytes) -> HTTPResponseBodyEvent:
    return {"type": "http.response.body", "body": content}


@pytest.mark.parametrize("keep_alive", [True, False])
@pytest.mark.parametrize("headers", HEADS.values(), ids=HEADS)
def test_response_has_the_bytes_of_uvicorn(headers: list[tuple[bytes, bytes]], keep_alive: bool) -> None:
    ours, written = cycle_of(keep_alive=keep_alive)
    theirs, expected = cycle_of(keep_alive=keep_alive)
    for message in (start(headers), body(b"{}")):
        asyncio.run(response_head.send(ours, message))
        asyncio.run(theirs.send(message))
    assert written.written == expected.written
    assert ours.response_complete


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\x00b", b"a\x7fb"])
def test_control_characters_are_refused(value: bytes) -> None:
    cycle, transport = cycle_of()
    with pytest.raises(RuntimeError, match="Invalid HTTP header value"):
        asyncio.run(response_head.send(cycle, start([LENGTH, (b"content-type", value)])))
    assert transport.written == b""


def test_body_of_another_length_is_refused() -> None:
    cycle, _ = cycle_of()
    asyncio.run(response_head.send(cycle, start([LENGTH])))
    with pytest.raises(RuntimeError, match="longer than Content-Length"):
        asyncio.run(response_head.send(cycle, body(b"{} ")))
    with pytest.raises(RuntimeError, match="Expected ASGI message"):
        asyncio.run(response_head.send(cycle, start([LENGTH])))
