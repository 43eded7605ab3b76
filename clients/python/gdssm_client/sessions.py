"""Connections to a service, or to one in this process, with retries."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http import HTTPMethod
from typing import Any, Self, TypeVar

import httpx
from httpx_retries import Retry, RetryTransport
from pydantic import SecretStr

from gdssm_client.call import Call
from gdssm_client.destination import checked_address, checked_key, shown
from gdssm_client.errors import InvalidArgument, Unreachable, check

Answer = TypeVar("Answer")

CONNECT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout)
"""The request did not arrive."""
CONNECTION_ERRORS = (*CONNECT_ERRORS, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""The request may have arrived."""
REFUSED_STATUSES = (429, 503)
"""Of requests that changed nothing."""
BACKOFF_FACTOR = 0.25
"""Seconds, doubled before each retry without Retry-After."""
RETRY_WAIT_LIMIT = 60.0
"""Seconds before a retry, also with Retry-After."""


@dataclass(frozen=True)
class ConnectionSettings:
    """The address of a service, with key, timeout and retries."""

    url: str | None = field(repr=False)
    """None for a service in this process. It may contain a password."""
    api_key: SecretStr | None
    timeout: float
    """Seconds to wait for a connection, and for a response."""
    retries: int
    """How often a request is retried."""

    @classmethod
    def to(cls, url: str | None, api_key: str | SecretStr | None, timeout: float, retries: int) -> Self:
        """Check a user's arguments; a service in this process needs no key.

        Raises:
            InvalidArgument: The URL or the key is invalid.
        """
        if url is None:
            return cls(None, None, timeout, retries)
        return cls(checked_address(url), checked_key(api_key), timeout, retries)

    def options(self, transport: Any, address: str) -> dict[str, Any]:  # noqa: ANN401  (synchronous or asynchronous)
        """Return the arguments of an httpx client."""
        headers = {"Authorization": f"Bearer {self.api_key.get_secret_value()}"} if self.api_key else {}
        transport = RetryTransport(transport, self._retry(CONNECTION_ERRORS))
        return {"base_url": address, "headers": headers, "timeout": self.timeout, "transport": transport}

    def request(self, call: Call[Any]) -> dict[str, Any]:
        """Return the arguments of an httpx request."""
        fields = ("method", "content", "headers", "params")
        extensions = {} if call.repeatable else {"retry": self._retry(CONNECT_ERRORS, REFUSED_STATUSES)}
        return {"url": call.path, "extensions": extensions, **{name: getattr(call, name) for name in fields}}

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

    def _retry(self, exceptions: tuple[type[Exception], ...], statuses: tuple[int, ...] | None = None) -> Retry:
        return Retry(
            total=self.retries,
            allowed_methods=list(HTTPMethod),
            status_forcelist=statuses,
            retry_on_exceptions=exceptions,
            backoff_factor=BACKOFF_FACTOR,
            max_backoff_wait=RETRY_WAIT_LIMIT,
        )


class Session:
    """Sends requests; threads may share it."""

    def __init__(self, connection: ConnectionSettings) -> None:
        self.connection = connection
        transport: httpx.BaseTransport
        if connection.url is None:
            from gdssm_client import in_process  # noqa: PLC0415  (a client with a URL needs no service here)

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
        try:
            response = self._http.request(**self.connection.request(call))
        except httpx.TransportError as error:
            raise self.connection.unreachable(error) from error
        check(response)
        return call.read(response)

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
            from gdssm_client import in_process  # noqa: PLC0415  (a client with a URL needs no service here)

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
        try:
            response = await self._http.request(**self.connection.request(call))
        except httpx.TransportError as error:
            raise self.connection.unreachable(error) from error
        check(response)
        return call.read(response)

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()
        await self._lifespan.aclose()

    def _client(self, transport: httpx.AsyncBaseTransport, address: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(**self.connection.options(transport, address))
