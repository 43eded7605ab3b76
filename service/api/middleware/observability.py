"""The outermost layer: every request gets an id, its times, a log line and its place in the metrics.

What every answer bears is added here, once.

It also has the last word on what nobody caught: it logs it, and answers unless the framework's own layer has. That one
raises it once more after its answer, for which a server would close the connection.
"""

import logging
import random
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.errors import unexpected
from service.api.headers import headers_of
from service.api.middleware.security_headers import NO_SNIFFING
from service.api.templates import UNMATCHED, Templates
from service.observability.logs import FastLogRecord
from service.observability.metrics import Metrics
from service.observability.request_stats import CURRENT, RequestStats

logger = logging.getLogger(__name__)

REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
"""What is taken over as an id; anything else gets a new one."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PROBES = ("/health/", "/metrics", "/v2/health/")
"""Asked every few seconds by machines; their log lines are of level debug."""
STARTS = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})
BODIES = frozenset({"http.response.body", "websocket.http.response.body"})


class ObservabilityMiddleware:
    """Wraps an app.

    Args:
        app: The rest of the service.
        metrics: Where requests are counted.
        timeout: Seconds that a request may take.
        templates: Of the addresses of what is refused before it comes to the routes.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, timeout: float, templates: Templates) -> None:
        self._app = app
        self._templates = templates
        self._metrics = metrics
        self._timeout = timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is neither request nor WebSocket as it is."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        record = RequestStats(_request_id(scope))
        if scope["type"] == "http":
            record.deadline = record.started + self._timeout
        token = CURRENT.set(record)
        answer = _Answer(record, send)
        try:
            await self._app(scope, receive, answer.send)
        except Exception as error:
            logger.exception("%s %s failed: %s", _method(scope), scope["path"], type(error).__name__)
            if answer.status and not answer.complete:
                raise  # too late to answer; the server closes the connection
            if not answer.status:
                await unexpected()(scope, receive, answer.send)
        finally:
            CURRENT.reset(token)
            self._finish(scope, record, answer)

    def _finish(self, scope: Scope, record: RequestStats, answer: "_Answer") -> None:
        route = getattr(scope.get("route"), "path", None) or self._unrouted(scope, answer.status)
        method = _method(scope)
        seconds = time.monotonic() - record.started
        if scope["type"] == "http":
            self._metrics.answered(record, method, route, answer.status, seconds)
        level = logging.DEBUG if route.startswith(PROBES) else logging.INFO
        if logger.isEnabledFor(level):
            key_id, milliseconds = record.key_id, f"{seconds * 1e3:.2f}"
            fields = {
                "method": method,
                "route": route,
                "status": answer.status,
                "duration_ms": float(milliseconds),
                "request_id": record.request_id,
                "model": record.model,
                "key_id": key_id,
                "bytes": answer.size,
            }
            line = (
                f"{method} {route} {answer.status} {milliseconds} ms request={record.request_id} "
                f"model={record.model} key={key_id} bytes={answer.size}"
            )
            logger.handle(FastLogRecord(logger, level, line, fields))

    def _unrouted(self, scope: Scope, status: int) -> str:
        """Find the address of a request without a route: the routes have seen one that is 404, and know it not."""
        return UNMATCHED if status == 404 else self._templates.of(scope)


class _Answer:
    """Adds the headers of the record to an answer, and watches it go."""

    def __init__(self, record: RequestStats, send: Send) -> None:
        self._record = record
        self._send = send
        self.status = 0
        """0 until it has begun, and for ever if the request was cut off; 101 for a WebSocket."""
        self.size = 0
        """Bytes of its body."""
        self.complete = False

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind in BODIES:
            self.size += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
        elif kind in STARTS:
            self.status = message.get("status", 101)
            record = self._record
            times = b"queue;dur=%.2f, compute;dur=%.2f" % (record.queue * 1e3, record.compute * 1e3)
            message["headers"] = [
                *message.get("headers", ()),
                NO_SNIFFING,
                (b"x-request-id", record.request_id.encode()),
                (b"server-timing", times),
            ]
        await self._send(message)


def _request_id(scope: Scope) -> str:
    sent = headers_of(scope).get(b"x-request-id")
    if sent is not None and REQUEST_ID.fullmatch(sent):
        return sent.decode()
    return f"{random.getrandbits(128):032x}"


def _method(scope: Scope) -> str:
    """Name the method, if it is one that there is: it becomes a label."""
    if scope["type"] == "websocket":
        return "WEBSOCKET"
    method: str = scope["method"]
    return method if method in METHODS else "other"
