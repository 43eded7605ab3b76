"""Who may come in: reads the key before anything of the body is, and says to the routes who asks."""

import asyncio
from collections.abc import Awaitable

from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.caller import ANONYMOUS, Caller
from service.access.keyring import KeyRing, claimed_id
from service.access.rate_limits import RateLimits
from service.api.errors import answer_to
from service.api.headers import header
from service.api.middleware.admission import ascribe
from service.api.state import state_in
from service.errors import ServiceError, Unauthenticated
from service.observability.request_stats import current
from service.settings import Settings

OPEN = {"/", "/docs", "/docs/oauth2-redirect", "/openapi.json", "/metrics"}
OPEN_BELOW = ("/health/", "/v2/health/", "/web/", "/static-offline-docs/")
"""With `OPEN`, what needs no key: probes and scrapers have none, and pages hold nobody's data."""


def is_open(path: str) -> bool:
    """Tell whether an address needs no key."""
    return path in OPEN or path.startswith(OPEN_BELOW)


class KeyGuard:
    """ASGI middleware in front of the routes; HTTP requests and WebSocket handshakes alike send their key in a header.

    Args:
        app: What it guards.
        settings: Has the rate limit of a key.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._rates = RateLimits(settings.rate_limit)
        self._refreshing: asyncio.Future[None] | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Let a request through with its caller, or answer 401, 429 or 503 in its place."""
        if scope["type"] == "lifespan" or is_open(scope["path"]):
            return self._app(scope, receive, send)
        try:
            keys = state_in(scope).keys
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
            ascribe(scope, caller.key_id)
        except ServiceError as error:
            await answer_to(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope, caller: Caller) -> None:
        """Note the caller, and count the request for the rate limit."""
        scope.setdefault("state", {})["caller"] = caller
        record = current()
        if record is not None:
            record.key_id = caller.key_id
        self._rates.count(caller)

    async def _caller(self, key: str | None, ring: KeyRing) -> Caller:
        if ring.stale:
            await self._refresh(ring)
        try:
            return ring.caller(key)
        except Unauthenticated:
            came = ring.now()
            while ring.may_be_new(key, came):  # a reading that was under way may have missed it
                await self._refresh(ring, for_new=True)
            record = current()
            if record is not None:
                record.key_id = claimed_id(key)
        return ring.caller(key)

    async def _refresh(self, ring: KeyRing, *, for_new: bool = False) -> None:
        """Read the keys again, once for all who wait for it.

        They go on together. Waiting for a lock each would have to be let go by the one before, with a turn of the event
        loop in between, in which those who came later are answered.
        """
        if self._refreshing is None or self._refreshing.done():
            if for_new:
                ring.count_further()
            # Not in the pool of the long computations: a full pool must not keep everybody out.
            self._refreshing = asyncio.ensure_future(run_in_threadpool(ring.refresh))
        await asyncio.shield(self._refreshing)  # whoever leaves takes it from nobody


def _bearer(authorization: str) -> str | None:
    scheme, _, key = authorization.partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None
