"""The bytes of a WebSocket's messages count from their arrival until the app receives the next message."""

import asyncio
from collections.abc import Callable

import pytest
from uvicorn.protocols.utils import ClientDisconnected
from websockets.frames import Frame
from websockets.protocol import Event

from service.access.keys import Caller
from service.api.middleware.admission import Capacity
from service.server.websocket_protocol import OVERLOADED_REASON, TRY_AGAIN_LATER
from tests.service.api.routes.live_connection import Connection, of_bytes, settled, with_one

HEADER = 8
"""Bytes before the payload of a frame of 126 to 65535 bytes, from a client."""


def noted(seen: list[Frame]) -> Callable[[Event], Event]:
    """Record each frame."""

    def note(event: Event) -> Event:
        if isinstance(event, Frame):
            seen.append(event)
        return event

    return note


def test_message_is_counted_until_the_app_receives_the_next() -> None:
    async def test(connection: Connection, bodies: Capacity) -> None:
        connection.send(1000)
        assert bodies.used == 1000
        await connection.ask()
        assert connection.messages == [{"type": "websocket.receive", "bytes": b"a" * 1000}]
        assert bodies.used == 1000
        await connection.ask()
        assert bodies.used == 0
        connection.send(300)
        await settled()
        assert bodies.used == 300
        assert connection.messages[1:] == [{"type": "websocket.receive", "bytes": b"a" * 300}]

    with_one(test)


def test_text_and_binary_messages_are_counted() -> None:
    async def test(connection: Connection, bodies: Capacity) -> None:
        connection._client.send_text(b"a" * 500)
        connection.server.data_received(b"".join(connection._client.data_to_send()))
        assert bodies.used == 500
        await connection.ask()
        assert connection.messages == [{"type": "websocket.receive", "text": "a" * 500}]

    with_one(test)


def test_bytes_of_an_incomplete_message_are_counted() -> None:
    async def test(connection: Connection, bodies: Capacity) -> None:
        frame = connection.frame(1000)
        connection.server.data_received(frame[:400])
        assert bodies.used == 400 - HEADER
        connection.server.data_received(frame[400:])
        assert bodies.used == 1000

    with_one(test)


def test_fragments_of_a_message_are_counted() -> None:
    async def test(connection: Connection, bodies: Capacity) -> None:
        connection.send(400, ends=False)
        assert bodies.used == 400
        connection.send(300, begins=False, ends=False)
        assert bodies.used == 700
        connection.send(200, begins=False)
        assert bodies.used == 900
        await connection.ask()
        assert connection.messages == [{"type": "websocket.receive", "bytes": b"a" * 900}]
        await connection.ask()
        assert bodies.used == 0

    with_one(test)


def test_parser_drops_delivered_frames() -> None:
    async def test(connection: Connection, _: Capacity) -> None:
        seen: list[Frame] = []
        receive = connection.server.conn.events_received
        connection.server.conn.events_received = lambda: [*map(noted(seen), receive())]  # type: ignore[method-assign]
        connection.send(400, ends=False)
        connection.send(300, begins=False)
        connection._client.send_text(b"a" * 500)
        connection.server.data_received(b"".join(connection._client.data_to_send()))
        assert [frame.data for frame in seen] == [b"", b"", b""]

    with_one(test)


def test_queued_messages_are_counted_until_processed() -> None:
    async def test(connection: Connection, bodies: Capacity) -> None:
        connection.server.data_received(connection.frame(1000) + connection.frame(2000) + connection.frame(3000))
        assert bodies.used == 6000
        for left in (6000, 5000, 3000, 0):
            await connection.ask()
            assert bodies.used == left
        assert not connection.wire.closed

    with_one(test)


def test_message_over_the_limit_closes_the_connection() -> None:
    async def exactly(connection: Connection, bodies: Capacity) -> None:
        connection.send(1000)
        assert bodies.used == 1000
        assert connection.closed_with[0] is None

    async def larger(connection: Connection, bodies: Capacity) -> None:
        connection.send(600)
        connection.send(401)
        assert connection.closed_with == (TRY_AGAIN_LATER, OVERLOADED_REASON)
        assert bodies.used == 600
        await connection.ask()
        await connection.ask()
        assert [message["type"] for message in connection.messages] == ["websocket.receive", "websocket.receive"]
        await connection.ask()
        assert connection.messages[2] == {
            "type": "websocket.disconnect",
            "code": TRY_AGAIN_LATER,
            "reason": OVERLOADED_REASON,
        }

    with_one(exactly, most=1000)
    with_one(larger, most=1000)


def test_closed_connection_discards_further_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.server.websocket_protocol.LINGER_SECONDS", 0.05)

    async def test(connection: Connection, bodies: Capacity) -> None:
        connection.send(1000, ends=False)
        connection.send(1, begins=False, ends=False)
        assert connection.closed_with == (TRY_AGAIN_LATER, OVERLOADED_REASON)
        assert connection.wire.reading
        assert not connection.wire.closed
        connection.server.data_received(b"a" * 500)
        await asyncio.sleep(0.2)
        assert connection.wire.closed
        connection.server.connection_lost(None)
        assert bodies.used == 0

    with_one(test, most=1000)


@pytest.mark.parametrize("asked", [0, 1])
def test_lost_connection_releases_its_bytes(asked: int) -> None:
    async def test(connection: Connection, bodies: Capacity) -> None:
        connection.send(1000)
        for _ in range(asked):
            await connection.ask()
        connection.send(500)
        connection.send(300, ends=False)
        connection.server.data_received(connection.frame(200, begins=False)[:100])
        assert bodies.used > 1800
        connection.server.connection_lost(None)
        assert bodies.used == 0

    with_one(test)


def test_bytes_of_a_key_are_limited_over_all_its_connections() -> None:
    async def run() -> None:
        bodies, alice, bob = of_bytes(share=0.1), Caller("alice", admin=False), Caller("bob", admin=False)
        first, second, other = [await Connection(bodies, caller).opened() for caller in (alice, alice, bob)]
        first.send(700)
        second.send(301)
        assert second.closed_with[0] == TRY_AGAIN_LATER
        other.send(1000)
        assert bodies.used == 1700
        await first.ask()
        await first.ask()
        first.send(1000)
        assert first.closed_with[0] is None

    asyncio.run(run())


def test_bytes_after_the_app_has_closed_are_not_held() -> None:
    async def test(connection: Connection, bodies: Capacity) -> None:
        await connection.server.send({"type": "websocket.close", "code": 1000, "reason": ""})
        connection.send(1000)
        assert bodies.used == 0

    with_one(test)


@pytest.mark.parametrize("event", ["shutdown", "keepalive_timeout", "send_keepalive_ping"])
def test_overloaded_connection_closes_once(event: str) -> None:
    """Before it is closed the service may stop, and uvicorn's timers may fire."""

    async def test(connection: Connection, _: Capacity) -> None:
        connection.send(1001)
        assert connection.closed_with == (TRY_AGAIN_LATER, OVERLOADED_REASON)
        getattr(connection.server, event)()
        assert connection.wire.written == b""
        assert connection.wire.closed == (event == "shutdown")
        with pytest.raises(ClientDisconnected):
            await connection.server.send({"type": "websocket.send", "text": "too late"})
        connection.server.connection_lost(None)

    with_one(test, most=1000)
