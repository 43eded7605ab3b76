"""Who may send a request: checks the web page, the host name and the API key before the body is read."""

import asyncio
from collections.abc import Awaitable
from functools import lru_cache

from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.keyring import KeyRing, claimed_id
from service.access.keys import ANONYMOUS, Caller
from service.access.rate_limits import RateLimits
from service.access.sites import Sites, unknown_host
from service.api.errors import answer_to
from service.api.middleware.admission import charge_key
from service.api.middleware.observability import PROBES
from service.api.request import header, headers_of, state_of
from service.errors import ServiceError, Unauthenticated
from service.observability.request_stats import CURRENT_STATS
from service.settings import Settings

PUBLIC_PATHS = {"/", "/docs", "/docs/oauth2-redirect", "/openapi.json", "/metrics"}
PUBLIC_PREFIXES = ("/health/", "/v2/health/", "/web/", "/static-offline-docs/")
"""With `PUBLIC_PATHS`, addresses that need no key: probes and scrapers send none, and pages contain no user data."""
HOST_CACHE_SIZE = 64
"""Values of Host in the cache; one service is addressed by a few names."""


def is_public(path: str) -> bool:
    """Return whether an address needs no key."""
    return path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIXES)


class AccessGuard:
    """ASGI middleware for HTTP requests and WebSocket handshakes.

    While keys are off it refuses the requests of foreign web pages and to unknown host names, see `access.sites`; while
    they are on, callers send their key in the header Authorization.

    Args:
        app: The wrapped app.
        settings: `rate_limit`, and those of `Sites`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._sites = Sites(settings)
        self._checks_sites = self._sites.checks_names or self._sites.checks_pages
        self._allows = lru_cache(HOST_CACHE_SIZE)(self._sites.allows)
        self._rates = RateLimits(settings.rate_limit)
        self._limits_rates = settings.rate_limit > 0

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass on a request with its caller, or send 401, 403, 429 or 503.

        Not a coroutine function: another coroutine would double the time of these checks.
        """
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)
        try:
            if self._checks_sites:
                self._check_site(scope)
            if is_public(scope["path"]):
                return self._app(scope, receive, send)
            caller, ring = ANONYMOUS, state_of(scope).keys
            if ring is not None:
                key = _bearer(header(scope, b"authorization"))
                known = ring.known(key)
                if known is None:
                    return self._authenticate(key, ring, scope, receive, send)
                caller = known
            self._admit(scope, caller)
        except ServiceError as error:
            return answer_to(error)(scope, receive, send)
        return self._app(scope, receive, send)

    def _check_site(self, scope: Scope) -> None:
        """Check the headers Host, Origin and Sec-Fetch-Site; probes and scrapers may use any host name."""
        if scope["path"].startswith(PROBES):
            return
        headers = headers_of(scope)
        host = headers.get(b"host", b"")
        if not self._allows(host):
            raise unknown_host(host)
        if self._sites.checks_pages and (b"origin" in headers or b"sec-fetch-site" in headers):
            self._sites.check_page(scope.get("method", "GET"), headers)

    async def _authenticate(self, key: str | None, ring: KeyRing, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate a key that was not sent since the last reading of the keys."""
        try:
            self._admit(scope, await self._caller(key, ring))
        except ServiceError as error:
            await answer_to(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope, caller: Caller) -> None:
        """Store the caller in the scope, and count the request for the limits of its key."""
        scope.setdefault("state", {})["caller"] = caller
        stats = CURRENT_STATS.get()
        if stats is not None:
            stats.key_id = caller.key_id
        if self._limits_rates or caller.rate_limit:
            quota = self._rates.count(caller)
            if stats is not None:
                stats.quota = quota
        if caller.key_id:
            charge_key(scope, caller.key_id)

    async def _caller(self, key: str | None, ring: KeyRing) -> Caller:
        if ring.stale:
            await refresh(ring)
        try:
            return ring.caller(key)
        except Unauthenticated:
            arrived = ring.now()
            while ring.may_be_new(key, arrived):  # a refresh that had already begun may have missed it
                await refresh(ring, for_new=True)
            stats = CURRENT_STATS.get()
            if stats is not None:
                stats.key_id = claimed_id(key)
        return ring.caller(key)


async def refresh(ring: KeyRing, *, for_new: bool = False) -> None:
    """Read the keys again, once for all requests that wait for it.

    A shared future resumes all of them in one iteration of the event loop. With a lock each request would resume
    one iteration after the one before, behind requests that arrived later.
    """
    if ring.refreshing is None or ring.refreshing.done():
        if for_new:
            ring.count_further()
        # Not in the executor: when its threads are busy, callers must still be authenticated.
        ring.refreshing = asyncio.ensure_future(run_in_threadpool(ring.refresh))
    await asyncio.shield(ring.refreshing)  # the other requests still wait for it if this one is cancelled


def _bearer(authorization: str) -> str | None:
    scheme, _, key = authorization.partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None
