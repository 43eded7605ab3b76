"""Behind a reverse proxy the service may stand below a path: addresses there begin with a prefix, here they do not."""

import re

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.headers import header
from service.settings import ROOT_PATH, Settings

HEADER = b"x-forwarded-prefix"
KEY = "gdssm.prefix"


class WithoutPrefix:
    """The outermost layer: takes the prefix off an address, if the proxy has not.

    Args:
        app: Knows addresses without prefix.
        settings: `root_path` and `forwarded_prefix`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._root_path = settings.root_path
        self._forwarded = settings.forwarded_prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the prefix for `WithPrefix`."""
        prefix = "" if scope["type"] == "lifespan" else self._prefix_of(scope)
        if prefix:
            scope[KEY] = prefix
            if scope["path"] == prefix and scope["type"] == "http":  # below it the links of the page would lead astray
                await RedirectResponse(prefix + "/")(scope, receive, send)
                return
            if scope["path"].startswith(prefix + "/"):
                scope["path"] = scope["path"].removeprefix(prefix)
        await self._app(scope, receive, send)

    def _prefix_of(self, scope: Scope) -> str:
        """Find the prefix; what is no path in the header is ignored."""
        sent = header(scope, HEADER).rstrip("/") if self._forwarded else ""
        return sent if sent and re.fullmatch(ROOT_PATH, sent) else self._root_path


class WithPrefix:
    """The innermost layer: lets the framework and its pages know the prefix, and adds it to Location.

    Args:
        app: The framework, which takes the prefix as ASGI has it (`root_path`).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the prefix, if there is one."""
        prefix: str | None = scope.get(KEY)
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
