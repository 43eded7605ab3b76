"""HEAD: the headers of the response to GET, at every address that takes GET (RFC 9110, 9.3.2)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """ASGI middleware for an app that handles GET only.

    An endless response, such as a stream of events, ends after its headers: the app then sees a disconnected client.

    Args:
        app: The wrapped app.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass HEAD on as GET, and send the headers of the response."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        inner = {**scope, "method": "GET"}
        try:
            await self._app(inner, receive, _Headers(send).send)
        finally:
            if "route" in inner:  # for the log
                scope["route"] = inner["route"]


class _Headers:
    """Sends the headers of a response and an empty body."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._ended = False

    async def send(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            await self._send(message)
        elif not self._ended:
            self._ended = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
