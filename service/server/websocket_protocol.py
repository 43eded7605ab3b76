"""uvicorn's WebSocket connection, corrected, whose buffered bytes count as bytes of bodies in flight.

uvicorn limits the size of a message, and pauses reading while the app processes one. Each of many connections may still
keep a message, or a part of one, in memory for any time.
"""

import logging
from collections import deque
from typing import Any

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from service.access.keys import ANONYMOUS, Caller
from service.api.middleware.admission import Capacity
from service.errors import Overloaded
from service.server.http_protocol import LINGER_SECONDS

TRY_AGAIN_LATER = 1013
OVERLOADED_REASON = "Too many bytes are in flight (GDSSM_MAX_BYTES_IN_FLIGHT). Try again in a moment."
"""The close code and reason of a connection over the limit."""


class LimitedWebSocketConnection(WebSocketsSansIOProtocol):
    """One connection; see `with_limits`."""

    bodies: Capacity
    """Bytes of bodies and messages."""

    _reserved_bytes = 0
    _key = ""
    """The key for which `_reserved_bytes` are counted."""
    _processing_bytes = 0
    """Bytes of the message that the app processes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (uvicorn's)
        super().__init__(*args, **kwargs)
        self.logger = self.conn.logger = logging.getLogger(__name__)
        self._queued_bytes: deque[int] = deque()
        """Bytes of each complete message that the app has not received."""

    @classmethod
    def with_limits(cls, bodies: Capacity) -> "type[LimitedWebSocketConnection]":
        """Return a subclass with a limit on the bytes of all its connections.

        Of uvicorn's log lines it keeps errors: others repeat the line of the service, with the query of the address, in
        which a caller may have sent a key.
        """
        logging.getLogger(__name__).setLevel(logging.ERROR)
        return type("LimitedWebSocketConnection", (cls,), {"bodies": bodies})

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, and count them."""
        super().data_received(data)
        self._update_reserved()

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop the buffers, and release their bytes."""
        super().connection_lost(exc)
        self.frames = []
        self.conn.reader.buffer.clear()
        self._queued_bytes.clear()
        self._processing_bytes = 0
        self._update_reserved()

    async def receive(self) -> ASGIReceiveEvent:
        """Return the next message, and release the bytes of the one before."""
        self._processing_bytes = 0
        self._update_reserved()
        message = await super().receive()
        if message["type"] == "websocket.receive" and self._queued_bytes:
            self._processing_bytes = self._queued_bytes.popleft()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message of the app; a handshake that it refuses is complete, where uvicorn would log an error."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    def handle_text(self, event: Frame) -> None:
        """Handle a text frame, and drop its data, which the parser would keep until the next frame."""
        super().handle_text(event)
        event.data = b""

    def handle_bytes(self, event: Frame) -> None:
        """Handle a binary frame; see `handle_text`."""
        super().handle_bytes(event)
        event.data = b""

    def handle_cont(self, event: Frame) -> None:
        """Handle a continuation frame; see `handle_text`."""
        super().handle_cont(event)
        event.data = b""

    def send_receive_event_to_app(self) -> None:
        """Queue a complete message for the app."""
        if not self.close_sent:
            self._queued_bytes.append(sum(map(len, self.frames)))
        super().send_receive_event_to_app()

    def _update_reserved(self) -> None:
        """Reserve or release bytes to match the buffers; closes the connection if that exceeds a limit."""
        incomplete = len(self.conn.reader.buffer) + sum(map(len, self.frames))
        buffered = incomplete + sum(self._queued_bytes) + self._processing_bytes
        if not self._reserved_bytes:
            self._key = self._caller().key_id
        if buffered < self._reserved_bytes:
            self.bodies.release(self._reserved_bytes - buffered, self._key)
        elif buffered > self._reserved_bytes:
            try:
                self.bodies.acquire(buffered - self._reserved_bytes, self._key)
            except Overloaded:
                self._close_overloaded()
                return
        self._reserved_bytes = buffered

    def _caller(self) -> Caller:
        if not self.handshake_initiated:
            return ANONYMOUS
        caller: Caller = self.scope["state"].get("caller", ANONYMOUS)
        return caller

    def _close_overloaded(self) -> None:
        """Send a close frame, and discard further data."""
        self.frames = []
        self.conn.fail(TRY_AGAIN_LATER, OVERLOADED_REASON)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = self.disconnected = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": TRY_AGAIN_LATER, "reason": OVERLOADED_REASON})
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)
