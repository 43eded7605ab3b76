"""Connections to a service, or to one in this process."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import anyio
import httpx

from gdssm_client import extras
from gdssm_client.attempts import Attempts, Outcome
from gdssm_client.call import Call
from gdssm_client.destination import checked_key, destination
from gdssm_client.errors import InvalidArgument, Unreachable, check
from gdssm_client.progress import ProgressBar
from gdssm_client.secret import Secret, SupportsSecret, shown

Answer = TypeVar("Answer")

LONG_BODY = 2**20
"""Bytes of a body from which on its progress is shown."""


@dataclass(frozen=True)
class ConnectionSettings:
    """The address of a service, with key, timeout, retries and deadline."""

    url: str | None = field(repr=False)
    """None for a service in this process. It may contain a password."""
    api_key: Secret | None
    timeout: float
    """Seconds to wait for a connection, and for a response."""
    retries: int
    """How often a request is retried."""
    deadline: float | None = None
    """Seconds for a call with all its retries."""
    progress: bool = False
    """Whether to show the progress of long work."""

    @classmethod
    def to(
        cls,
        url: str | None,
        api_key: str | SupportsSecret | None,
        timeout: float,
        retries: int,
        deadline: float | None = None,
        *,
        progress: bool = False,
    ) -> Self:
        """Check a user's arguments; a service in this process needs no key.

        Raises:
            InvalidArgument: The URL or the key is invalid.
        """
        if deadline is not None and not deadline > 0:
            raise InvalidArgument(f"deadline: must be a number of seconds above 0; this is {deadline}.")
        address = destination(url)
        key = None if address is None else checked_key(api_key)
        return cls(address, key, timeout, retries, deadline, progress)

    def options(self, transport: Any, address: str) -> dict[str, Any]:  # noqa: ANN401  (synchronous or asynchronous)
        """Return the arguments of an httpx client."""
        headers = {"Authorization": f"Bearer {self.api_key.get_secret_value()}"} if self.api_key else {}
        return {"base_url": address, "headers": headers, "transport": transport}

    def attempts(self, call: Call[Any]) -> Attempts:
        """Begin a call."""
        return Attempts(call, self.retries, self.timeout, self.deadline)

    def bar(self, label: str, total: int) -> ProgressBar:
        """Make a progress bar, which is written if the caller asked for it."""
        return ProgressBar(label, total, shown=self.progress)

    def body_bar(self, call: Call[Any]) -> ProgressBar:
        """Make the progress bar of a body; it is written for a long one with a label that another process reads."""
        is_long = call.label != "" and len(call.content) > LONG_BODY and self.url is not None
        return ProgressBar(call.label, len(call.content), shown=self.progress and is_long)

    def websocket(self, path: str) -> dict[str, Any]:
        """Return the arguments of a WebSocket.

        Raises:
            InvalidArgument: The service runs in this process.
        """
        if self.url is None:
            raise InvalidArgument("A stream needs a service with a URL: Client('http://…').")
        headers = {"Authorization": f"Bearer {self.api_key.get_secret_value()}"} if self.api_key else {}
        uri = "ws" + self.url.removesuffix("/")[len("http") :] + path
        return {"uri": uri, "additional_headers": headers, "open_timeout": self.timeout, "max_size": None}

    def unreachable(self, error: httpx.TransportError) -> Unreachable:
        """Make the error for a missing response."""
        reason = str(error) or type(error).__name__
        place = "the service in this process" if self.url is None else shown(self.url)
        return Unreachable(f"There is no answer from {place}: {reason}.")

    def late(self) -> httpx.ReadTimeout:
        """Make the error for a response that arrives after the deadline."""
        return httpx.ReadTimeout(f"the deadline of {self.deadline:g} s has passed")


class _TimedStream(httpx.SyncByteStream):
    """The bytes of a response, until the deadline of the call."""

    def __init__(self, stream: Any, attempts: Attempts, connection: ConnectionSettings) -> None:  # noqa: ANN401
        self._stream, self._attempts, self._connection = stream, attempts, connection

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            if self._attempts.is_late():
                raise self._connection.late()
            yield part

    def close(self) -> None:
        self._stream.close()


class Session:
    """Sends requests; threads may share it."""

    def __init__(self, connection: ConnectionSettings) -> None:
        self.connection = connection
        transport: httpx.BaseTransport
        if connection.url is None:
            in_process = extras.load("gdssm_client.in_process", "local")
            address, transport = in_process.ADDRESS, in_process.InProcess()
        else:
            address, transport = connection.url, httpx.HTTPTransport()
        self._http = httpx.Client(**connection.options(transport, address))

    def open(self) -> None:
        """Do nothing: the constructor has opened it."""

    def send(self, call: Call[Answer]) -> Answer:
        """Send a request and read its response.

        Raises:
            ClientError: There is none, or the service refuses.
        """
        attempts = self.connection.attempts(call)
        while True:
            try:
                outcome: Outcome = self._response(call, attempts)
            except httpx.TransportError as error:
                outcome = error
            pause = attempts.pause(outcome)
            if pause is None:
                return _result(self.connection, call, outcome)
            time.sleep(pause)

    def _response(self, call: Call[Any], attempts: Attempts) -> httpx.Response:
        request = attempts.request()
        with self.connection.body_bar(call) as bar:
            if bar.is_shown:
                request = _in_parts(request, bar.parts(call.content))
            return self._complete(request, attempts)

    def _complete(self, request: Mapping[str, Any], attempts: Attempts) -> httpx.Response:
        with self._http.stream(**request) as response:
            response.stream = _TimedStream(response.stream, attempts, self.connection)
            response.read()
        return response

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class AsyncSession:
    """Sends requests asynchronously; a service in this process runs from `open` to `close`."""

    def __init__(self, connection: ConnectionSettings) -> None:
        self.connection = connection
        self._lifespan = AsyncExitStack()
        self._http = None if connection.url is None else self._client(httpx.AsyncHTTPTransport(), connection.url)

    async def open(self) -> None:
        """Start the service in this process, if there is no URL."""
        if self.connection.url is None:
            in_process = extras.load("gdssm_client.in_process", "local")
            app = in_process.new_app()
            await self._lifespan.enter_async_context(app.router.lifespan_context(app))
            self._http = self._client(in_process.asynchronous(app), in_process.ADDRESS)

    async def send(self, call: Call[Answer]) -> Answer:
        """Send a request and read its response.

        Raises:
            ClientError: There is none, or the service refuses.
        """
        if self._http is None:
            raise RuntimeError("Without a URL an AsyncClient is used as `async with AsyncClient() as client:`.")
        attempts = self.connection.attempts(call)
        while True:
            try:
                with anyio.fail_after(attempts.left()), self.connection.body_bar(call) as bar:
                    request = attempts.request()
                    if bar.is_shown:
                        request = _in_parts(request, bar.async_parts(call.content))
                    outcome: Outcome = await self._http.request(**request)
            except httpx.TransportError as error:
                outcome = error
            except TimeoutError:
                outcome = self.connection.late()
            pause = attempts.pause(outcome)
            if pause is None:
                return _result(self.connection, call, outcome)
            await anyio.sleep(pause)

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()
        await self._lifespan.aclose()

    def _client(self, transport: httpx.AsyncBaseTransport, address: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(**self.connection.options(transport, address))


def _result(connection: ConnectionSettings, call: Call[Answer], outcome: Outcome) -> Answer:
    """Read a response, or raise its error.

    Raises:
        ClientError: There is none, or the service refuses.
    """
    if isinstance(outcome, httpx.TransportError):
        raise connection.unreachable(outcome) from outcome
    check(outcome)
    return call.read(outcome)


def _in_parts(request: Mapping[str, Any], parts: Iterator[bytes] | AsyncIterator[bytes]) -> dict[str, Any]:
    """Send the body of a request in parts, without the chunked encoding."""
    headers = {**request["headers"], "Content-Length": str(len(request["content"]))}
    return {**request, "headers": headers, "content": parts}
