"""Refuses requests of foreign web pages and to unknown names, before anything else of them is looked at."""

from collections.abc import Awaitable
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.sites import Sites, unknown_host
from service.api.errors import answer_to
from service.api.headers import headers_of
from service.api.middleware.observability import PROBES
from service.errors import ForeignSite

KEPT = 64
"""Values of Host that are remembered; one service is addressed by a few."""


class SiteGuard:
    """Wraps an app; probes and scrapers, which address the service as they like, are always let in.

    Args:
        app: What is behind it.
        sites: What is allowed.
    """

    def __init__(self, app: ASGIApp, sites: Sites) -> None:
        self._app = app
        self._sites = sites
        self._allows = lru_cache(KEPT)(sites.allows)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Let a request through, or answer 403 in its place.

        No coroutine of its own, which would cost every request as much as all that is looked at here.
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
