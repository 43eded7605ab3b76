"""The path prefix of a reverse proxy: removed from the addresses of requests, added to those of responses."""

import re

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.request import header
from service.settings import ROOT_PATH_PATTERN, Settings

PREFIX_HEADER = b"x-forwarded-prefix"
PREFIX_SCOPE_KEY = "gdssm.prefix"


class StripPrefix:
    """The outermost middleware: removes the prefix from the path, unless the proxy has, and stores it in the scope.

    Args:
        app: The wrapped app.
        settings: `root_path` and `forwarded_prefix`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._root_path = settings.root_path
        self._forwarded = settings.forwarded_prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Remove the prefix of a request."""
        prefix = "" if scope["type"] == "lifespan" else self._prefix_of(scope)
        if prefix:
            scope[PREFIX_SCOPE_KEY] = prefix
            if scope["path"] == prefix and scope["type"] == "http":  # the relative links of the page need the slash
                await RedirectResponse(prefix + "/")(scope, receive, send)
                return
            if scope["path"].startswith(prefix + "/"):
                scope["path"] = scope["path"].removeprefix(prefix)
        await self._app(scope, receive, send)

    def _prefix_of(self, scope: Scope) -> str:
        """Return the prefix; a header that is not a path is ignored."""
        sent = header(scope, PREFIX_HEADER).rstrip("/") if self._forwarded else ""
        return sent if sent and re.fullmatch(ROOT_PATH_PATTERN, sent) else self._root_path


class AddPrefix:
    """The innermost middleware: passes the prefix to FastAPI, as ASGI's `root_path`, and adds it to Location.

    Args:
        app: FastAPI.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request; without a prefix it is passed on unchanged."""
        prefix: str | None = scope.get(PREFIX_SCOPE_KEY)
        if prefix is None:
            await self._app(scope, receive, send)
            return

        async def send_located(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [_located(prefix, *pair) for pair in message.get("headers", ())]
            await send(message)

        inner = {**scope, "root_path": prefix, "path": prefix + scope["path"]}
        try:
            await self._app(inner, receive, send_located)
        finally:
            if "route" in inner:  # for the log
                scope["route"] = inner["route"]


def _located(prefix: str, name: bytes, value: bytes) -> tuple[bytes, bytes]:
    return (name, prefix.encode() + value) if name == b"location" and value.startswith(b"/") else (name, value)
