"""WebSockets: as many as requests may be in flight, and ended with a word when the service stops."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.access.caller import ANONYMOUS
from service.api.errors import answer_to
from service.api.middleware.bounds import Bound
from service.errors import ServiceError
from service.observability.metrics import Metrics
from service.server.stopping import Stopping

GOING_AWAY = 1001


class WebSocketLimiter:
    """Wraps an app.

    They are counted apart from requests: they stay open while nothing happens, and each of them works on one message
    at a time, so that no more messages are in work or waiting than connections are open.

    Args:
        app: What is behind it.
        most: Open connections.
        stopping: Tells when to end them.
        metrics: Shows how many are open.
        share: Of them, for one key.
    """

    def __init__(self, app: ASGIApp, most: int, stopping: Stopping, metrics: Metrics, share: float = 1.0) -> None:
        self._app = app
        full = f"{most} WebSockets are open, as many as GDSSM_MAX_IN_FLIGHT allows."
        self._opened = Bound(most, share, full, "WebSockets")
        self._stopping = stopping
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a WebSocket in, or answer 503 in its place."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        key = scope.get("state", {}).get("caller", ANONYMOUS).key_id
        try:
            self._stopping.check()
            self._opened.take(1, key)
        except ServiceError as error:
            await answer_to(error)(scope, receive, send)
            return
        connection = _Connection(receive, send, self._stopping)
        self._metrics.websockets.inc()
        try:
            await self._app(scope, connection.receive, send)
        finally:
            connection.leave()
            self._opened.give_back(1, key)
            self._metrics.websockets.dec()


class _Connection:
    """Ends between two messages: the one in work is answered first."""

    def __init__(self, receive: Receive, send: Send, stopping: Stopping) -> None:
        self._receive = receive
        self._send = send
        self._stop = asyncio.ensure_future(stopping.streams.wait())

    async def receive(self) -> Message:
        """Wait for the next message, or for the end."""
        coming = asyncio.ensure_future(self._receive())
        try:
            await asyncio.wait({coming, self._stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not coming.done():
                coming.cancel()
        if coming.done() and not coming.cancelled():
            return coming.result()
        await self._send({"type": "websocket.close", "code": GOING_AWAY, "reason": "The service is stopping."})
        return {"type": "websocket.disconnect", "code": GOING_AWAY}

    def leave(self) -> None:
        """Wait for the end no longer."""
        self._stop.cancel()
