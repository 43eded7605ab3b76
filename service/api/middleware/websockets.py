"""Limits the number of WebSockets, and closes them with a reason when the service stops or their key is revoked."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.access.keyring import REFUSED, KeyRing
from service.access.keys import ANONYMOUS
from service.api.errors import answer_to
from service.api.middleware.access import refresh
from service.api.middleware.admission import Capacity
from service.api.request import state_of
from service.errors import ServiceError
from service.observability.metrics import Metrics
from service.server.stopping import Stopping

GOING_AWAY = 1001
KEY_REVOKED = 4401
"""Close code of a connection whose key was revoked."""


class WebSocketLimiter:
    """ASGI middleware.

    WebSockets do not count as requests in flight, because they stay open while idle. Each processes one message at a
    time, so that the number of connections also limits the number of messages in flight.

    Args:
        app: The wrapped app.
        limit: Open connections.
        stopping: Reports when to close them.
        metrics: Report the number of open connections.
        share: The part of the limit that one key may use.
    """

    def __init__(self, app: ASGIApp, limit: int, stopping: Stopping, metrics: Metrics, share: float = 1.0) -> None:
        self._app = app
        full = f"{limit} WebSockets are open, as many as GDSSM_MAX_IN_FLIGHT allows."
        self._opened = Capacity(limit, share, full, "WebSockets")
        self._stopping = stopping
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept a WebSocket, or send 503."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        key = scope.get("state", {}).get("caller", ANONYMOUS).key_id
        try:
            self._stopping.check()
            self._opened.acquire(1, key)
        except ServiceError as error:
            await answer_to(error)(scope, receive, send)
            return
        ring = state_of(scope).keys if key else None
        connection = _Connection(receive, send, self._stopping, ring, key)
        self._metrics.websockets.inc()
        try:
            await self._app(scope, connection.receive, send)
        finally:
            connection.leave()
            self._opened.release(1, key)
            self._metrics.websockets.dec()


class _Connection:
    """A connection that is closed between two messages: the message in flight is answered first."""

    def __init__(self, receive: Receive, send: Send, stopping: Stopping, ring: KeyRing | None, key_id: str) -> None:
        self._receive = receive
        self._send = send
        self._ring = ring
        self._key_id = key_id
        self._stop = asyncio.ensure_future(stopping.streams.wait())

    async def receive(self) -> Message:
        """Return the next message, or a disconnect when the service stops or the key is revoked."""
        received = asyncio.ensure_future(self._receive_permitted())
        try:
            await asyncio.wait({received, self._stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not received.done():
                received.cancel()
        if received.done() and not received.cancelled():
            return received.result()
        return await self._close(GOING_AWAY, "The service is stopping.")

    async def _receive_permitted(self) -> Message:
        message = await self._receive()
        if self._ring is None or message["type"] != "websocket.receive":
            return message
        if self._ring.stale:
            await refresh(self._ring)
        return message if self._ring.has(self._key_id) else await self._close(KEY_REVOKED, REFUSED)

    async def _close(self, code: int, reason: str) -> Message:
        await self._send({"type": "websocket.close", "code": code, "reason": reason})
        return {"type": "websocket.disconnect", "code": code}

    def leave(self) -> None:
        """Stop waiting for the end of the service."""
        self._stop.cancel()
