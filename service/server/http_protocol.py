"""What comes before a request: uvicorn's HTTP connection, bounded in size and time, refusing in the words of the rest.

uvicorn bounds neither the size of a request's head nor the time that it takes to arrive, nor how long an answer may
wait to be read; and what is no HTTP it refuses in plain text.
"""

import asyncio
import resource
import time
from collections.abc import Callable
from itertools import chain

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from service.api.deadlines import DeadlineScheduler
from service.api.errors import answer_to
from service.api.headers import headers_of
from service.api.request_connection import RequestConnection
from service.errors import MalformedBody, Overloaded, ServiceError, TooSlow

HEAD_SIZE_LIMIT = 64 * 2**10
"""Most bytes of request line, headers and trailers together, and of anything else that is no body."""
PIPELINE_LIMIT = 128
"""Most requests of one connection that wait for the one before: one read of the socket may hold ten thousand."""
RESERVED_FILES = 100
"""Open files that are not connections: models, the database, logs."""
LINGER_SECONDS = 1.0
"""Seconds that a refused connection is still read from: closed at once, it might take its own answer with it."""
NOT_HTTP = "This is not HTTP/1.1. Send a request line, headers that end with an empty line, and a body of their length."


class Connection(RequestConnection):
    """One connection; see `bounded`."""

    seconds = 30.0
    most = 2**20
    deadlines = DeadlineScheduler()
    """With those whose head is coming."""
    deadline = float("inf")

    _head: int | None = 0
    """Bytes of the head that is coming; None where none is."""
    _fields = 0
    """Bytes of request line, headers and trailers so far."""
    _since_body = 0
    """Bytes that came after the last of a body: trailers, or an extension of a chunk, that may have no end."""
    _closing: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None

    @classmethod
    def bounded(cls, seconds: float) -> "type[Connection]":
        """Make the class of the connections of a service.

        Args:
            seconds: How long a head may take to come, and an answer to go.
        """
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        bounds = {"seconds": seconds, "most": max(files - RESERVED_FILES, 1), "deadlines": DeadlineScheduler()}
        return type("BoundedConnection", (cls,), bounds)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._refuse(Overloaded(f"{self.most} connections are open. Try again in a moment."))
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.deadlines.end(self)
        _cancel(self._closing, self._writing)
        self.headers = []  # trailers refer to this
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and see that a head has an end."""
        if self._error is not None:
            return
        before = self._head
        self._since_body += len(data)
        super().data_received(data)
        if self._head is None:
            if self._since_body > HEAD_SIZE_LIMIT and self._error is None:
                self._refuse(_head_too_large())
            return
        self._head += len(data) if self._head == before else 1  # of a new one at least a byte has come
        if self._head > HEAD_SIZE_LIMIT:
            self._refuse(_head_too_large())

    def on_message_begin(self) -> None:
        """Wait for a head, but not for ever."""
        super().on_message_begin()
        self._head = 0
        _cancel(self._closing)
        self._expect_head()

    def on_headers_complete(self) -> None:
        """Take a head; from here on the app looks after the time."""
        self._head = None
        self.deadlines.end(self)
        self._since_body = 0
        self._fields = len(self.url) + sum(map(len, chain.from_iterable(self.headers)))
        if self._fields > HEAD_SIZE_LIMIT:
            self._break_off(_head_too_large())
        if len(self.pipeline) >= PIPELINE_LIMIT:
            self._break_off(
                MalformedBody(f"At most {PIPELINE_LIMIT} requests of one connection wait. Send fewer at once.")
            )
        super().on_headers_complete()
        cycle: RequestResponseCycle | None = self.cycle
        taken = cycle is not None and cycle.scope is self.scope  # and not an offer of another protocol
        if taken and b"transfer-encoding" in headers_of(self.scope):  # type: ignore[arg-type]  # what the app gets
            self.headers = _Trailers(self.take_trailer)

    def take_trailer(self, size: int) -> None:
        """Count a trailer with the head; it is dropped, for it came after all who look at headers."""
        self._fields += size
        if self._fields > HEAD_SIZE_LIMIT:
            self._break_off(_head_too_large())

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._since_body = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Wait for what is left of a body that nobody wanted, but not for ever."""
        unread = self.cycle.more_body
        super().on_response_complete()
        if unread and self._head is None:
            self._closing = self._later(self.transport.close)

    def pause_writing(self) -> None:
        """Wait for an answer to be read, but not for ever."""
        super().pause_writing()
        self._writing = self._later(self.transport.abort)

    def resume_writing(self) -> None:
        """It is being read."""
        super().resume_writing()
        _cancel(self._writing)

    def send_400_response(self, msg: str) -> None:
        """Say what uvicorn would say in plain text."""
        del msg
        self._refuse(self._error or MalformedBody(NOT_HTTP))

    def expire(self) -> None:
        """Wait for a head no longer."""
        if self._head:
            self._refuse(TooSlow(f"The headers must arrive within {self.seconds:g} seconds. Send them at once."))
        else:
            self.transport.close()

    def _expect_head(self) -> None:
        self.deadline = time.monotonic() + self.seconds
        self.deadlines.begin(self)

    def _break_off(self, fault: MalformedBody) -> None:
        """Leave the parser, which goes on in `send_400_response`."""
        self._error = fault
        raise fault

    def _refuse(self, error: ServiceError) -> None:
        """Hear nothing more; say why, unless an answer is on its way, which is finished first, or has been given."""
        self._error = error
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever uvicorn's types say
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:
                cycle.keep_alive = False
                return
            cycle.disconnected = True  # its body has broken off
            cycle.message_event.set()
        if self._head is not None or cycle is None or not cycle.response_complete:
            self._answer(error)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.deadlines.end(self)
        _cancel(self._closing)
        self._closing = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _answer(self, error: ServiceError) -> None:
        answer = answer_to(error)
        headers = [*self.server_state.default_headers, *answer.raw_headers, (b"connection", b"close")]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(STATUS_LINE[answer.status_code] + lines + b"\r\n" + bytes(answer.body))

    def _later(self, do: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(self.seconds, do)


class _Trailers(list[tuple[bytes, bytes]]):
    """Where uvicorn puts what comes after a body: nothing is kept.

    Args:
        take: Told the size of each.
    """

    def __init__(self, take: Callable[[int], None]) -> None:
        super().__init__()
        self._take = take

    def append(self, header: tuple[bytes, bytes]) -> None:
        """Take a name and a value."""
        self._take(sum(map(len, header)))


def _head_too_large() -> MalformedBody:
    return MalformedBody(
        f"Request line, headers and trailers may have at most {HEAD_SIZE_LIMIT} bytes together. Send fewer."
    )


def _cancel(*clocks: asyncio.TimerHandle | None) -> None:
    for clock in clocks:
        if clock is not None:
            clock.cancel()
