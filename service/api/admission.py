"""How much is taken in at a time: beyond that a request is refused at once, before its body is read.

What waits in a queue for long is worth nothing to its caller any more, and costs memory until then. So the bounds are
on what is in the house: requests, the bytes of their bodies, and the seconds that a body may take to arrive.
"""

import asyncio
import time

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.errors import answer_to
from service.api.headers import headers_of
from service.api.patience import Patience
from service.api.signals import PROBES
from service.errors import Overloaded, ServiceError, TooSlow
from service.settings import Settings
from service.signals.metrics import Metrics


class Admission:
    """Wraps an app; probes and scrapers are always let in, WebSockets are counted apart (see `live`).

    Args:
        app: What is behind it.
        settings: `max_in_flight`, `max_bytes_in_flight`, `max_body_bytes` and `request_timeout`.
        metrics: Shows what is in the house.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app = app
        self.settings = settings
        self.patience = Patience()
        """With those who wait for a body."""
        self._requests = self._bytes = 0
        metrics.admitted = lambda: (self._requests, self._bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer 503 in its place."""
        if scope["type"] != "http" or scope["path"].startswith(PROBES):
            await self._app(scope, receive, send)
            return
        most = self.settings.max_in_flight
        if self._requests >= most:
            full = f"{most} requests are in flight, as many as GDSSM_MAX_IN_FLIGHT allows. Try again in a moment."
            await answer_to(Overloaded(full))(scope, receive, send)
            return
        body = _Body(scope, receive, send, self)
        self._requests += 1
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
            self._requests -= 1
            self._bytes -= body.taken
        if body.refused is not None:
            await _refusal(body.refused)(scope, receive, send)

    def reserve(self, more: int) -> bool:
        """Take bytes, if that many are left."""
        if self._bytes + more > self.settings.max_bytes_in_flight:
            return False
        self._bytes += more
        return True


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
        self.taken = 0
        self.refused: ServiceError | None = None

    def take(self, size: int) -> None:
        """Reserve the bytes of a body of this size."""
        if self._house.reserve(size - self.taken):
            self.taken = size
        else:
            self.refused = Overloaded(
                f"Bodies in flight may have at most {self._house.settings.max_bytes_in_flight} bytes together "
                "(GDSSM_MAX_BYTES_IN_FLIGHT). Try again in a moment."
            )

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
        if self._came > self.taken:
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
