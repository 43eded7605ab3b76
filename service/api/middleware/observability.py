"""The outermost middleware: gives every request an id, and writes its times, its log line and its metrics.

It adds the headers of all responses. It also handles uncaught exceptions: it logs them, and sends 500 unless FastAPI's
own middleware has. That one raises the exception again after its response; an ASGI server would then close the
connection.
"""

import logging
import random
import re
import time
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.errors import unexpected
from service.api.middleware.security_headers import NO_SNIFFING
from service.api.rate_limit_headers import headers_for
from service.api.request import headers_of
from service.api.route_templates import UNMATCHED, RouteTemplates
from service.observability.logs import RequestLog
from service.observability.metrics import Metrics
from service.observability.request_stats import CURRENT_STATS, RequestStats

logger = logging.getLogger(__name__)

REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
"""Ids that are taken from the header X-Request-ID; other requests get a new id."""
LABELLED_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PROBES = ("/health/", "/metrics", "/v2/health/")
"""Addresses that supervisors and scrapers request every few seconds; logged at level debug."""
RESPONSE_STARTS = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})
RESPONSE_BODIES = frozenset({"http.response.body", "websocket.http.response.body"})


class ObservabilityMiddleware:
    """ASGI middleware.

    Args:
        app: The wrapped app.
        metrics: Counts the requests.
        timeout: Seconds that a request may take.
        templates: Find the route of a request that another middleware refused.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, timeout: float, templates: RouteTemplates) -> None:
        self._app = app
        self._templates = templates
        self._metrics = metrics
        self._timeout = timeout
        self._log = RequestLog(logger)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request or a WebSocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        stats = RequestStats(_request_id(scope))
        if scope["type"] == "http":
            stats.deadline = stats.started + self._timeout
        token = CURRENT_STATS.set(stats)
        answer = _Answer(stats, send)
        try:
            await self._app(scope, receive, answer.send)
        except Exception as error:
            logger.exception("%s %s failed: %s", _method(scope), scope["path"], type(error).__name__)
            if stats.status and not answer.complete:
                raise  # too late to answer; the server closes the connection
            if not stats.status:
                await unexpected()(scope, receive, answer.send)
        finally:
            CURRENT_STATS.reset(token)
            self._finish(scope, stats)

    def _finish(self, scope: Scope, stats: RequestStats) -> None:
        stats.route = getattr(scope.get("route"), "path", None) or self._unrouted(scope, stats.status)
        stats.method = _method(scope)
        stats.seconds = time.monotonic() - stats.started
        if scope["type"] == "http":
            self._metrics.answered.append(stats)
        elif self._metrics.counts_keys:
            self._metrics.closed.append(stats)
        self._log.add(logging.DEBUG if stats.route.startswith(PROBES) else logging.INFO, stats)

    def _unrouted(self, scope: Scope, status: int) -> str:
        """Return the template of a request that has no route in its scope; none matches where the router sent 404."""
        return UNMATCHED if status == 404 else self._templates.of(scope)


class _Answer:
    """Adds the id and the times of a request to its response, and records status and size."""

    def __init__(self, stats: RequestStats, send: Send) -> None:
        self._stats = stats
        self._send = send
        self.complete = False

    def send(self, message: Message) -> Awaitable[None]:
        kind = message["type"]
        if kind in RESPONSE_BODIES:
            self._stats.size += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
        elif kind in RESPONSE_STARTS:
            stats = self._stats
            stats.status = message.get("status", 101)
            times = b"queue;dur=%.2f, compute;dur=%.2f" % (stats.queue * 1e3, stats.compute * 1e3)
            message["headers"] = [
                *message.get("headers", ()),
                NO_SNIFFING,
                (b"x-request-id", stats.request_id.encode()),
                (b"server-timing", times),
                *(headers_for(stats.quota) if stats.quota is not None else ()),
            ]
        return self._send(message)


def _request_id(scope: Scope) -> str:
    sent = headers_of(scope).get(b"x-request-id")
    if sent is not None and REQUEST_ID.fullmatch(sent):
        return sent.decode()
    return f"{random.getrandbits(128):032x}"


def _method(scope: Scope) -> str:
    """Return the method as a label of metrics, whose values must be few."""
    if scope["type"] == "websocket":
        return "WEBSOCKET"
    method: str = scope["method"]
    return method if method in LABELLED_METHODS else "other"
