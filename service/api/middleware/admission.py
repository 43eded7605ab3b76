"""How much is taken in at a time: beyond that a request is refused at once, before its body is read.

What waits in a queue for long is worth nothing to its caller any more, and costs memory until then. So the bounds are
on what is in the house: requests, the bytes of their bodies, and the seconds that a body may take to arrive.
"""

import asyncio
import time

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.deadlines import DeadlineScheduler
from service.api.errors import answer_to
from service.api.headers import headers_of
from service.api.middleware.bounds import Bound
from service.api.middleware.observability import PROBES
from service.errors import Overloaded, ServiceError, TooSlow
from service.observability.metrics import Metrics
from service.settings import Settings

ADMITTED = "gdssm.admitted"
"""Where a scope has what is held for its request."""


def bound_of_bodies(settings: Settings) -> Bound:
    """Make the bound of the bytes of bodies, of requests and of WebSockets; one body may come in any case."""
    most = settings.max_bytes_in_flight
    full = f"Bodies in flight may have at most {most} bytes together (GDSSM_MAX_BYTES_IN_FLIGHT)."
    return Bound(most, settings.max_share, full, "bytes in flight", settings.max_body_bytes)


def ascribe(scope: Scope, key: str) -> None:
    """Count what is held for a request, and will be, as held by a key.

    Raises:
        Overloaded: It would be over the share of the key.
    """
    body: _Body | None = scope.get(ADMITTED)
    if body is not None:
        body.ascribe(key)


class Admission:
    """Wraps an app; probes and scrapers are always let in, WebSockets are counted apart (see `live`).

    Args:
        app: What is behind it.
        settings: `max_in_flight`, `max_share`, `max_body_bytes` and `request_timeout`.
        metrics: Shows what is in the house.
        bodies: Bounds the bytes of bodies; as the settings say if left out.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, bodies: Bound | None = None) -> None:
        self._app = app
        self.settings = settings
        self.patience = DeadlineScheduler()
        """With those who wait for a body."""
        most = settings.max_in_flight
        full = f"{most} requests are in flight, as many as GDSSM_MAX_IN_FLIGHT allows."
        self.requests = Bound(most, settings.max_share, full, "requests in flight")
        self.bodies = bodies or bound_of_bodies(settings)
        metrics.admitted = lambda: (self.requests.held, self.bodies.held)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer 503 in its place."""
        if scope["type"] != "http" or scope["path"].startswith(PROBES):
            await self._app(scope, receive, send)
            return
        try:
            self.requests.take(1)
        except ServiceError as error:
            await answer_to(error)(scope, receive, send)
            return
        body = scope[ADMITTED] = _Body(scope, receive, send, self)
        try:
            # Whoever came in the same turn of the event loop is counted before the first of them is worked on;
            # without this short work, which never leaves the loop, would never be seen to pile up.
            await asyncio.sleep(0)
            body.take(min(body.announced, self.settings.max_body_bytes))
            if body.refused is None:
                await self._app(scope, body.receive, body.send)
        except ServiceError:
            if body.refused is None:
                raise
        finally:
            body.give_back()
            del scope[ADMITTED]  # which would be a cycle: the body holds the connection, and that its scope
        refused = body.refused
        if refused is not None:
            refused.__traceback__ = refused.__context__ = None  # these hold all that was read
            await _refusal(refused)(scope, receive, send)


class _Body:
    """Lets the body of one request in: within the bytes that are left, and in time.

    What is refused half way is remembered, and whatever the app answers to that is dropped.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, house: Admission) -> None:
        self._receive = receive
        self._send = send
        self._house = house
        self._task = asyncio.current_task()
        self._came = 0
        headers = headers_of(scope)
        # The server has refused what is no number; of one that begins with thousands of zeros Python makes none.
        self.announced = int(headers.get(b"content-length", b"").lstrip(b"0") or b"0")
        self._whole = not self.announced and b"transfer-encoding" not in headers
        self.deadline = time.monotonic() + house.settings.request_timeout
        self._taken = 0
        self._key = ""
        self.refused: ServiceError | None = None

    def take(self, size: int) -> None:
        """Reserve the bytes of a body of this size."""
        try:
            self._house.bodies.take(size - self._taken, self._key)
            self._taken = size
        except Overloaded as error:
            self.refused = error

    def ascribe(self, key: str) -> None:
        """Count the request and its body as held by a key, or neither."""
        self._house.requests.ascribe(1, key)
        try:
            self._house.bodies.ascribe(self._taken, key)
        except Overloaded:
            self._house.requests.disown(1, key)
            raise
        self._key = key

    def give_back(self) -> None:
        """Hold nothing for the request any more."""
        self._house.requests.give_back(1, self._key)
        self._house.bodies.give_back(self._taken, self._key)

    async def receive(self) -> Message:
        """Pass on a piece of the body, or raise what is wrong with it."""
        if self._whole:
            return await self._receive()
        self._house.patience.begin(self)
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if self.refused is None:
                raise
            self._waiting().uncancel()
            raise self.refused from None
        finally:
            self._house.patience.end(self)
        self._came += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._came > self._taken:
            self.take(self._came)
        if self.refused is not None:
            raise self.refused
        return message

    def expire(self) -> None:
        """Refuse a body that does not come; as `asyncio.timeout` does it, without a timer for each."""
        self.refused = TooSlow(
            f"The body must arrive within {self._house.settings.request_timeout:g} seconds (GDSSM_REQUEST_TIMEOUT). "
            "Send it faster, or in smaller requests."
        )
        self._waiting().cancel()

    def _waiting(self) -> "asyncio.Task[object]":
        assert self._task is not None  # noqa: S101
        return self._task

    async def send(self, message: Message) -> None:
        """Pass on the answer, unless the request was refused."""
        if self.refused is None:
            await self._send(message)


def _refusal(error: ServiceError) -> Response:
    answer = answer_to(error)
    if isinstance(error, TooSlow):  # the rest of the body may never come
        answer.headers["Connection"] = "close"
    return answer
