"""uvicorn's HTTP connection with limits on size and time, and with the error body of the service.

uvicorn limits neither the size of the head of a request, nor the time in which it must arrive, nor the time in which a
client must read the response; it refuses invalid HTTP with a plain text.
"""

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable
from itertools import chain

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from service.api.errors import answer_to
from service.api.middleware.admission import DeadlineScheduler
from service.api.request import headers_of
from service.api.request_connection import RequestConnection
from service.errors import MalformedBody, Overloaded, ServiceError, TooSlow
from service.server.responses import ResponseSender

HEAD_SIZE_LIMIT = 64 * 2**10
"""Bytes of request line, headers and trailers together, and of chunk extensions."""
PIPELINE_LIMIT = 128
"""Requests of one connection that wait for the one before; one read of the socket may contain ten thousand."""
RESERVED_FILES = 100
"""Open files that are not connections: models, the database, logs."""
LINGER_SECONDS = 1.0
"""Seconds before a refused connection is closed; an earlier close may discard the response."""
NOT_HTTP = "This is not HTTP/1.1. Send a request line, headers that end with an empty line, and a body of their length."


class HttpConnection(RequestConnection):
    """One connection; see `with_limits`."""

    timeout = 30.0
    connection_limit = 2**20
    deadlines = DeadlineScheduler()
    """Of connections whose head has not arrived."""
    deadline = float("inf")

    _head_bytes: int | None = 0
    """Received bytes of the next head; None between a head and the next one."""
    _field_bytes = 0
    """Bytes of request line, headers and trailers of the present request."""
    _bytes_after_body = 0
    """Bytes after the last piece of the body: trailers, or chunk extensions, which may be endless."""
    _close_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    @classmethod
    def with_limits(cls, timeout: float) -> "type[HttpConnection]":
        """Return a subclass with limits.

        Args:
            timeout: Seconds in which a head must arrive, and a response must be read.
        """
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        connection_limit = max(files - RESERVED_FILES, 1)
        limits = {"timeout": timeout, "connection_limit": connection_limit, "deadlines": DeadlineScheduler()}
        return type("LimitedHttpConnection", (cls,), limits)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Accept a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.connection_limit:
            self._refuse(Overloaded(f"{self.connection_limit} connections are open. Try again in a moment."))
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        self.deadlines.end(self)
        _cancel(self._close_timer, self._write_timer)
        self.headers = []  # a `_TrailerCounter` refers to this connection
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, and check the size of the head."""
        if self._error is not None:
            return
        before = self._head_bytes
        self._bytes_after_body += len(data)
        super().data_received(data)
        if self._head_bytes is None:
            if self._bytes_after_body > HEAD_SIZE_LIMIT and self._error is None:
                self._refuse(_head_too_large())
            return
        # The data may have begun another head, of which at least one byte has arrived.
        self._head_bytes += len(data) if self._head_bytes == before else 1
        if self._head_bytes > HEAD_SIZE_LIMIT:
            self._refuse(_head_too_large())

    def on_message_begin(self) -> None:
        """Set the deadline of a head."""
        super().on_message_begin()
        self._head_bytes = 0
        if self._close_timer is not None:
            self._close_timer.cancel()
        self._expect_head()

    def on_headers_complete(self) -> None:
        """Begin a request; `api.middleware.admission` sets the deadline of its body."""
        self._head_bytes = None
        self.deadlines.end(self)
        self._bytes_after_body = 0
        self._field_bytes = len(self.url) + sum(map(len, chain.from_iterable(self.headers)))
        if self._field_bytes > HEAD_SIZE_LIMIT:
            self._abort_parsing(_head_too_large())
        if len(self.pipeline) >= PIPELINE_LIMIT:
            self._abort_parsing(
                MalformedBody(f"At most {PIPELINE_LIMIT} requests of one connection wait. Send fewer at once.")
            )
        super().on_headers_complete()
        cycle: RequestResponseCycle | None = self.cycle
        accepted = cycle is not None and cycle.scope is self.scope  # not an upgrade that is ignored
        if accepted and b"transfer-encoding" in headers_of(self.scope):  # type: ignore[arg-type]  # the app's scope
            self.headers = _TrailerCounter(self.count_trailer)

    def count_trailer(self, size: int) -> None:
        """Count the bytes of a trailer with those of the head; the trailer itself is discarded."""
        self._field_bytes += size
        if self._field_bytes > HEAD_SIZE_LIMIT:
            self._abort_parsing(_head_too_large())

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        def run(scope: Scope, receive: ASGIReceiveCallable, _: ASGISendCallable) -> Awaitable[None]:
            return app(scope, receive, ResponseSender(cycle).send)

        super()._start_asgi_task(cycle, run)

    def on_body(self, body: bytes) -> None:
        """Pass on a piece of a body."""
        self._bytes_after_body = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Set a deadline for the rest of a body that the app did not read."""
        unread = self.cycle.more_body
        super().on_response_complete()
        if unread and self._head_bytes is None:
            self._close_timer = self._after_timeout(self.transport.close)

    def pause_writing(self) -> None:
        """Set a deadline for a client that does not read the response."""
        super().pause_writing()
        self._write_timer = self._after_timeout(self.transport.abort)

    def resume_writing(self) -> None:
        """Cancel the deadline of `pause_writing`."""
        super().resume_writing()
        _cancel(self._write_timer)

    def send_400_response(self, msg: str) -> None:
        """Refuse invalid HTTP with the error body of the service, instead of uvicorn's plain text."""
        del msg
        self._refuse(self._error or MalformedBody(NOT_HTTP))

    def expire(self) -> None:
        """Close the connection, as the head did not arrive in time."""
        if self._head_bytes:
            self._refuse(TooSlow(f"The headers must arrive within {self.timeout:g} seconds. Send them at once."))
        else:
            self.transport.close()

    def _expect_head(self) -> None:
        self.deadline = time.monotonic() + self.timeout
        self.deadlines.begin(self)

    def _abort_parsing(self, error: MalformedBody) -> None:
        """Raise an error in a callback of the parser; `data_received` then calls `send_400_response`."""
        self._error = error
        raise error

    def _refuse(self, error: ServiceError) -> None:
        """Stop reading, and send an error, unless a response is being sent, which is finished first, or was sent."""
        self._error = error
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, unlike uvicorn's annotation
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:
                cycle.keep_alive = False
                return
            cycle.disconnected = True  # the body is incomplete
            cycle.message_event.set()
        if cycle is None or not cycle.response_started or (cycle.response_complete and self._head_bytes is not None):
            self._send_error(error)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.deadlines.end(self)
        _cancel(self._close_timer)
        self._close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _send_error(self, error: ServiceError) -> None:
        response = answer_to(error)
        headers = [*self.server_state.default_headers, *response.raw_headers, (b"connection", b"close")]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(STATUS_LINE[response.status_code] + lines + b"\r\n" + bytes(response.body))

    def _after_timeout(self, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(self.timeout, callback)


class _TrailerCounter(list[tuple[bytes, bytes]]):
    """The list to which uvicorn appends trailers; counts their bytes and stores nothing.

    Args:
        count: Called with the size of each trailer.
    """

    def __init__(self, count: Callable[[int], None]) -> None:
        super().__init__()
        self._count = count

    def append(self, header: tuple[bytes, bytes]) -> None:
        """Count a name and a value."""
        self._count(sum(map(len, header)))


def _head_too_large() -> MalformedBody:
    return MalformedBody(
        f"Request line, headers and trailers may have at most {HEAD_SIZE_LIMIT} bytes together. Send fewer."
    )


def _cancel(*timers: asyncio.TimerHandle | None) -> None:
    for timer in timers:
        if timer is not None:
            timer.cancel()
