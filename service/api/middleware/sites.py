"""Refuses requests of foreign web pages and to unknown host names, before authentication."""

from collections.abc import Awaitable
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.sites import Sites, unknown_host
from service.api.errors import answer_to
from service.api.middleware.observability import PROBES
from service.api.request import headers_of
from service.errors import ForeignSite

HOST_CACHE_SIZE = 64
"""Values of Host in the cache; one service is addressed by a few names."""


class SiteGuard:
    """ASGI middleware; probes and scrapers may use any host name.

    Args:
        app: The wrapped app.
        sites: The names and pages that are allowed.
    """

    def __init__(self, app: ASGIApp, sites: Sites) -> None:
        self._app = app
        self._sites = sites
        self._allows = lru_cache(HOST_CACHE_SIZE)(sites.allows)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass on a request, or send 403.

        Not a coroutine function: another coroutine would double the time that this check takes.
        """
        if scope["type"] != "lifespan":
            headers = headers_of(scope)
            allowed = self._allows(headers.get(b"host", b""))
            if not allowed or b"origin" in headers or b"sec-fetch-site" in headers:
                return self._check(scope, receive, send)
        return self._app(scope, receive, send)

    async def _check(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        host = headers.get(b"host", b"")
        try:
            if not self._allows(host):
                raise unknown_host(host)
            if self._sites.checks_pages:
                self._sites.check_page(scope.get("method", "GET"), headers)
        except ForeignSite as error:
            if not scope["path"].startswith(PROBES):
                await answer_to(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)
