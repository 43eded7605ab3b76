"""Security headers: no sniffing anywhere; a page runs its own scripts only, asks only us, and is framed by nobody.

There are no CORS headers, so that a browser lets only our own pages read an answer.
"""

import base64
import hashlib
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_SNIFFING = (b"x-content-type-options", b"nosniff")
SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Inline styles are Swagger UI's; inline scripts are allowed by their hash."""


class PagePolicy:
    """Wraps an app that may answer with pages; what every answer bears, `api.middleware.observability` adds."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add a policy to every page."""
        if scope["type"] == "http":
            await self._app(scope, receive, _Page(send).send)
        else:
            await self._app(scope, receive, send)


class _Page:
    """Holds a page without a policy of its own back until its scripts are known; everything else passes at once."""

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
    """Tell whether an answer is a page that has no policy of its own."""
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"content-security-policy" not in headers


def _page_headers(page: bytes) -> list[tuple[bytes, bytes]]:
    """Vouch for the scripts in a page: our pages repeat nothing of what a caller sent."""
    digests = (base64.b64encode(hashlib.sha256(script).digest()).decode() for script in SCRIPT.findall(page))
    scripts = " ".join(["'self'", *(f"'sha256-{digest}'" for digest in digests)])
    return [
        (b"content-security-policy", POLICY.format(scripts=scripts).encode()),
        (b"referrer-policy", b"no-referrer"),
    ]
