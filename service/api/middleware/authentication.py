"""Authentication: checks the API key before the body is read, and stores the caller in the scope."""

import asyncio
from collections.abc import Awaitable

from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.keyring import KeyRing, claimed_id
from service.access.keys import ANONYMOUS, Caller
from service.access.rate_limits import RateLimits
from service.api.errors import answer_to
from service.api.middleware.admission import charge_key
from service.api.request import header, state_of
from service.errors import ServiceError, Unauthenticated
from service.observability.request_stats import CURRENT_STATS
from service.settings import Settings

PUBLIC_PATHS = {"/", "/docs", "/docs/oauth2-redirect", "/openapi.json", "/metrics"}
PUBLIC_PREFIXES = ("/health/", "/v2/health/", "/web/", "/static-offline-docs/")
"""With `PUBLIC_PATHS`, addresses that need no key: probes and scrapers send none, and pages contain no user data."""


def is_public(path: str) -> bool:
    """Return whether an address needs no key."""
    return path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIXES)


class KeyGuard:
    """ASGI middleware; HTTP requests and WebSocket handshakes send their key in the header Authorization.

    Args:
        app: The wrapped app.
        settings: `rate_limit`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._rates = RateLimits(settings.rate_limit)
        self._refreshing: asyncio.Future[None] | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass on a request with its caller, or send 401, 429 or 503."""
        if scope["type"] == "lifespan" or is_public(scope["path"]):
            return self._app(scope, receive, send)
        try:
            keys = state_of(scope).keys
            if keys is not None:
                return self._authenticate(keys, scope, receive, send)
            self._admit(scope, ANONYMOUS)
        except ServiceError as error:
            return answer_to(error)(scope, receive, send)
        return self._app(scope, receive, send)

    async def _authenticate(self, keys: KeyRing, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            caller = await self._caller(_bearer(header(scope, b"authorization")), keys)
            self._admit(scope, caller)
            charge_key(scope, caller.key_id)
        except ServiceError as error:
            await answer_to(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope, caller: Caller) -> None:
        """Store the caller in the scope, and count the request for the rate limit."""
        scope.setdefault("state", {})["caller"] = caller
        stats = CURRENT_STATS.get()
        if stats is not None:
            stats.key_id = caller.key_id
        self._rates.count(caller)

    async def _caller(self, key: str | None, ring: KeyRing) -> Caller:
        if ring.stale:
            await self._refresh(ring)
        try:
            return ring.caller(key)
        except Unauthenticated:
            arrived = ring.now()
            while ring.may_be_new(key, arrived):  # a refresh that had already begun may have missed it
                await self._refresh(ring, for_new=True)
            stats = CURRENT_STATS.get()
            if stats is not None:
                stats.key_id = claimed_id(key)
        return ring.caller(key)

    async def _refresh(self, ring: KeyRing, *, for_new: bool = False) -> None:
        """Read the keys again, once for all requests that wait for it.

        A shared future resumes all of them in one iteration of the event loop. With a lock each request would resume
        one iteration after the one before, behind requests that arrived later.
        """
        if self._refreshing is None or self._refreshing.done():
            if for_new:
                ring.count_further()
            # Not in the executor: when its threads are busy, callers must still be authenticated.
            self._refreshing = asyncio.ensure_future(run_in_threadpool(ring.refresh))
        await asyncio.shield(self._refreshing)  # the other requests still wait for it if this one is cancelled


def _bearer(authorization: str) -> str | None:
    scheme, _, key = authorization.partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None
