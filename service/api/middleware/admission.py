"""Admission control: a request over a limit is refused at once, before its body is read.

The limits apply to the requests in flight and the bytes of their bodies (`Capacity`), and to the seconds in which a
body must arrive (`DeadlineScheduler`). A long queue instead would use memory for requests whose callers no longer wait
for the response.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable
from typing import Protocol

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.errors import answer_to
from service.api.middleware.observability import PROBES
from service.api.request import headers_of
from service.errors import Overloaded, ServiceError, TooSlow
from service.observability.metrics import Metrics
from service.settings import Settings

BODY_SCOPE_KEY = "gdssm.admitted"
"""Key of an ASGI scope for the admitted body of its request."""


class Capacity:
    """Counts the use of one resource, with a limit for the process and a limit for each key, so that none can use all.

    Args:
        limit: For the process.
        share: The part of the limit that one key may use; callers without a key have no limit of their key.
        full_message: The error message when the process has reached its limit.
        unit: The resource, in the plural.
        key_minimum: One key may always use this amount, whatever its share.
    """

    def __init__(self, limit: int, share: float, full_message: str, unit: str, key_minimum: int = 1) -> None:
        self.limit = limit
        self.key_limit = min(limit, max(int(share * limit), key_minimum))
        self.used = 0
        self.released = 0
        """What `release` was called for, since the start."""
        self._full_message = full_message
        self._unit = unit
        self._used_by_key: defaultdict[str, int] = defaultdict(int)

    def acquire(self, amount: int, key: str = "") -> None:
        """Reserve an amount.

        Args:
            amount: In units of the resource.
            key: The id of the caller's key; empty while it is unknown, and for callers without a key.

        Raises:
            Overloaded: A limit would be exceeded; nothing is reserved.
        """
        if self.used + amount > self.limit:
            raise Overloaded(f"{self._full_message} Try again in a moment.")
        if key:
            self.charge_key(amount, key)
        self.used += amount

    def charge_key(self, amount: int, key: str) -> None:
        """Count an amount that is already reserved for a key.

        Raises:
            Overloaded: The key's limit would be exceeded; the amount is not counted for the key.
        """
        if self._used_by_key.get(key, 0) + amount > self.key_limit:
            raise Overloaded(
                f"One key may hold {self.key_limit} of {self.limit} {self._unit} (GDSSM_MAX_SHARE). "
                "Try again in a moment."
            )
        self._used_by_key[key] += amount

    def release(self, amount: int, key: str = "") -> None:
        """Release an amount that `acquire` reserved."""
        self.used -= amount
        self.released += amount
        if key:
            self.release_key(amount, key)

    def release_key(self, amount: int, key: str) -> None:
        """Undo `charge_key`."""
        self._used_by_key[key] -= amount
        if not self._used_by_key[key]:
            del self._used_by_key[key]


class Wait(Protocol):
    """A wait with a deadline."""

    deadline: float
    """On the clock of `time.monotonic`, which is the event loop's."""

    def expire(self) -> None:
        """Abort the wait."""


class DeadlineScheduler:
    """Calls `expire` once for each wait that has not ended by its deadline.

    Uses one timer of the event loop: a timer for each request would cost more than most waits.
    """

    def __init__(self) -> None:
        self._waits: set[Wait] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_deadline = float("inf")

    def begin(self, wait: Wait) -> None:
        """Add a wait."""
        self._waits.add(wait)
        if wait.deadline < self._timer_deadline:
            self._set_timer(wait.deadline)

    def end(self, wait: Wait) -> None:
        """Remove a wait; the timer may still fire for its deadline, without effect."""
        self._waits.discard(wait)

    def _set_timer(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_deadline = deadline
        self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        now, self._timer, self._timer_deadline = self._timer_deadline, None, float("inf")
        expired = {wait for wait in self._waits if wait.deadline <= now}
        self._waits -= expired
        if self._waits:
            self._set_timer(min(wait.deadline for wait in self._waits))
        for wait in expired:
            wait.expire()


def body_capacity(settings: Settings) -> Capacity:
    """Return the limit on the bytes of bodies and WebSocket messages; each key may always send one full body."""
    limit = settings.max_bytes_in_flight
    full = f"Bodies in flight may have at most {limit} bytes together (GDSSM_MAX_BYTES_IN_FLIGHT)."
    return Capacity(limit, settings.max_share, full, "bytes in flight", settings.max_body_bytes)


def charge_key(scope: Scope, key: str) -> None:
    """Count a request and its body, including the bytes still to come, for a key.

    Raises:
        Overloaded: The key's share would be exceeded.
    """
    body: _Body | None = scope.get(BODY_SCOPE_KEY)
    if body is not None:
        body.charge_key(key)


class Admission:
    """ASGI middleware; health probes and `/metrics` are always admitted, WebSockets have their own limit.

    Args:
        app: The wrapped app.
        settings: `max_in_flight`, `max_share`, `max_body_bytes` and `request_timeout`.
        metrics: Report the requests and bytes in flight.
        bodies: Limits the bytes of bodies.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, bodies: Capacity) -> None:
        self._app = app
        self.settings = settings
        self.deadlines = DeadlineScheduler()
        """Of requests whose bodies have not arrived."""
        limit = settings.max_in_flight
        full = f"{limit} requests are in flight, as many as GDSSM_MAX_IN_FLIGHT allows."
        self.requests = Capacity(limit, settings.max_share, full, "requests in flight")
        self.bodies = bodies
        metrics.admitted = lambda: (self.requests.used, self.bodies.used)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit a request, or send 503."""
        if scope["type"] != "http" or scope["path"].startswith(PROBES):
            await self._app(scope, receive, send)
            return
        try:
            self.requests.acquire(1)
        except ServiceError as error:
            await answer_to(error)(scope, receive, send)
            return
        body = scope[BODY_SCOPE_KEY] = _Body(scope, receive, send, self)
        try:
            # Counts all requests that arrived in this iteration of the event loop before the first one is processed:
            # inline work does not yield to the loop, so that otherwise the count would never exceed 1.
            await asyncio.sleep(0)
            body.reserve(min(body.announced, self.settings.max_body_bytes))
            if body.refused is None:
                await self._app(scope, body.receive, body.send)
        except ServiceError:
            if body.refused is None:
                raise
        finally:
            body.release()
            del scope[BODY_SCOPE_KEY]  # breaks the reference cycle of body, connection and scope
        refused = body.refused
        if refused is not None:
            refused.__traceback__ = refused.__context__ = None  # these refer to the bytes that were read
            await _refusal(refused)(scope, receive, send)


class _Body:
    """Receives the body of one request within the limits on bytes and time.

    An error while the body arrives is kept in `refused`; any response of the app is then discarded.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, admission: Admission) -> None:
        self._receive = receive
        self._send = send
        self._admission = admission
        self._task = asyncio.current_task()
        self._received_bytes = 0
        headers = headers_of(scope)
        # The server accepts digits only; without thousands of leading zeros, which `int` refuses.
        self.announced = int(headers.get(b"content-length", b"").lstrip(b"0") or b"0")
        self._complete = not self.announced and b"transfer-encoding" not in headers
        self.deadline = time.monotonic() + admission.settings.request_timeout
        self._reserved_bytes = 0
        self._key = ""
        self.refused: ServiceError | None = None

    def reserve(self, size: int) -> None:
        """Reserve the bytes of a body of this size."""
        try:
            self._admission.bodies.acquire(size - self._reserved_bytes, self._key)
            self._reserved_bytes = size
        except Overloaded as error:
            self.refused = error

    def charge_key(self, key: str) -> None:
        """Count the request and its body for a key; on an error neither is counted."""
        self._admission.requests.charge_key(1, key)
        try:
            self._admission.bodies.charge_key(self._reserved_bytes, key)
        except Overloaded:
            self._admission.requests.release_key(1, key)
            raise
        self._key = key

    def release(self) -> None:
        """Release the request and its bytes."""
        self._admission.requests.release(1, self._key)
        self._admission.bodies.release(self._reserved_bytes, self._key)

    async def receive(self) -> Message:
        """Return the next piece of the body.

        Raises:
            ServiceError: The body exceeds a limit, or did not arrive in time.
        """
        if self._complete:
            return await self._receive()
        self._admission.deadlines.begin(self)
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if self.refused is None:
                raise
            self._receiving_task().uncancel()
            raise self.refused from None
        finally:
            self._admission.deadlines.end(self)
        self._received_bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._received_bytes > self._reserved_bytes:
            self.reserve(self._received_bytes)
        if self.refused is not None:
            raise self.refused
        return message

    def expire(self) -> None:
        """Refuse a late body; cancels the receiving task, like `asyncio.timeout`, without a timer for each request."""
        timeout = self._admission.settings.request_timeout
        self.refused = TooSlow(
            f"The body must arrive within {timeout:g} seconds (GDSSM_REQUEST_TIMEOUT). "
            "Send it faster, or in smaller requests."
        )
        self._receiving_task().cancel()

    def _receiving_task(self) -> "asyncio.Task[object]":
        assert self._task is not None  # noqa: S101
        return self._task

    def send(self, message: Message) -> Awaitable[None]:
        """Send a message of the response, unless the request was refused."""
        return self._send(message) if self.refused is None else asyncio.sleep(0)


def _refusal(error: ServiceError) -> Response:
    answer = answer_to(error)
    if isinstance(error, TooSlow):  # the rest of the body may never come
        answer.headers["Connection"] = "close"
    return answer
