"""Security headers: no content sniffing; a page runs its own scripts, connects to this origin, and cannot be framed.

Browsers let only pages of this origin, and those of GDSSM_CORS_ORIGINS, read a response.
"""

import base64
import hashlib
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_SNIFFING = (b"x-content-type-options", b"nosniff")
SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
GENERATED_PAGE_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Inline styles are Swagger UI's; inline scripts are allowed by their hash."""


class PagePolicy:
    """ASGI middleware that adds the headers of HTML pages; `api.middleware.observability` adds `NO_SNIFFING`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add a content security policy to every page."""
        if scope["type"] == "http":
            await self._app(scope, receive, _Page(send).send)
        else:
            await self._app(scope, receive, send)


class _Page:
    """Buffers a page without a policy until its scripts are known; sends all other messages at once."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._page = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if _is_page(dict(message.get("headers", ()))):
                self._start = message
                return
        elif self._start is not None:
            self._page += message.get("body", b"")
            if message.get("more_body", False):
                return
            self._start["headers"] = [*self._start["headers"], *_page_headers(self._page)]
            await self._send(self._start)
            message["body"] = self._page
        await self._send(message)


def _is_page(headers: dict[bytes, bytes]) -> bool:
    """Return whether a response is a page without a policy."""
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"content-security-policy" not in headers


def _page_headers(page: bytes) -> list[tuple[bytes, bytes]]:
    """Allow the inline scripts of a page by their hashes; no page contains text from a request."""
    digests = (base64.b64encode(hashlib.sha256(script).digest()).decode() for script in SCRIPT.findall(page))
    scripts = " ".join(["'self'", *(f"'sha256-{digest}'" for digest in digests)])
    return [
        (b"content-security-policy", GENERATED_PAGE_POLICY.format(scripts=scripts).encode()),
        (b"referrer-policy", b"no-referrer"),
    ]
