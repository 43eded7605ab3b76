"""Refuses requests of foreign web pages and to unknown names, before anything else of them is looked at."""

from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.sites import Sites, unknown_host
from service.api.errors import answer_to
from service.api.headers import headers_of
from service.api.signals import PROBES
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer 403 in its place."""
        if scope["type"] != "lifespan":
            try:
                self._check(scope)
            except ForeignSite as error:
                if not scope["path"].startswith(PROBES):
                    await answer_to(error)(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = headers_of(scope)
        host = headers.get(b"host", b"")
        if not self._allows(host):
            raise unknown_host(host)
        if self._sites.checks_pages and (b"origin" in headers or b"sec-fetch-site" in headers):
            self._sites.check_page(scope.get("method", "GET"), headers)
