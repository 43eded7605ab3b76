"""What comes before a WebSocket's messages: uvicorn's connection, whose bytes count with those of request bodies.

uvicorn bounds a message, and reads no further while one is in work; but each of many connections may hold a message,
or most of one, for as long as it likes, and the last one until the next has come.
"""

from collections import deque
from typing import Any

from uvicorn._types import ASGIReceiveEvent
from websockets.frames import Frame

from service.access.keys import ANONYMOUS, Caller
from service.api.middleware.capacity import Capacity
from service.api.websocket_connection import WebSocketConnection
from service.errors import Overloaded
from service.server.http_protocol import LINGER_SECONDS

TRY_AGAIN_LATER = 1013
REASON = "Too many bytes are in flight (GDSSM_MAX_BYTES_IN_FLIGHT). Try again in a moment."
"""What a connection is closed with when its bytes are too many."""


class LimitedWebSocketConnection(WebSocketConnection):
    """One connection; see `bounded`."""

    bodies: Capacity
    """Bytes of bodies and messages."""

    _held = 0
    _key = ""
    """Whose `_held` is."""
    _in_work = 0
    """Bytes of the message that the app has."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401  (as uvicorn does)
        super().__init__(*given, **named)
        self._waiting: deque[int] = deque()
        """Bytes of each message that is whole."""

    @classmethod
    def bounded(cls, bodies: Capacity) -> "type[LimitedWebSocketConnection]":
        """Make the class of the connections of a service.

        Args:
            bodies: Bounds what they hold together.
        """
        return type("BoundedLiveTransport", (cls,), {"bodies": bodies})

    def data_received(self, data: bytes) -> None:
        """Read on, within what is left of the bytes."""
        super().data_received(data)
        self._settle()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hold nothing any more."""
        super().connection_lost(exc)
        self.frames = []
        self.conn.reader.buffer.clear()
        self._waiting.clear()
        self._in_work = 0
        self._settle()

    async def receive(self) -> ASGIReceiveEvent:
        """Take the next message; the one before is done with."""
        self._in_work = 0
        self._settle()
        message = await super().receive()
        if message["type"] == "websocket.receive" and self._waiting:
            self._in_work = self._waiting.popleft()
        return message

    def handle_text(self, event: Frame) -> None:
        """Take a text, or the beginning of one."""
        super().handle_text(event)
        event.data = b""  # the parser keeps the frame until the next one

    def handle_bytes(self, event: Frame) -> None:
        """Take bytes, or the beginning of them."""
        super().handle_bytes(event)
        event.data = b""

    def handle_cont(self, event: Frame) -> None:
        """Take more of a message."""
        super().handle_cont(event)
        event.data = b""

    def send_receive_event_to_app(self) -> None:
        """Let a message that is whole wait for the app."""
        if not self.close_sent:
            self._waiting.append(sum(map(len, self.frames)))
        super().send_receive_event_to_app()

    def _settle(self) -> None:
        """Count what is held now; give up if that is too much."""
        coming = len(self.conn.reader.buffer) + sum(map(len, self.frames))
        held = coming + sum(self._waiting) + self._in_work
        if not self._held:
            self._key = self._caller().key_id
        if held < self._held:
            self.bodies.release(self._held - held, self._key)
        elif held > self._held:
            try:
                self.bodies.acquire(held - self._held, self._key)
            except Overloaded:
                self._give_up()
                return
        self._held = held

    def _caller(self) -> Caller:
        if not self.handshake_initiated:
            return ANONYMOUS
        caller: Caller = self.scope["state"].get("caller", ANONYMOUS)
        return caller

    def _give_up(self) -> None:
        """Say why, and drop what still comes."""
        self.frames = []
        self.conn.fail(TRY_AGAIN_LATER, REASON)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = self.disconnected = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": TRY_AGAIN_LATER, "reason": REASON})
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)
