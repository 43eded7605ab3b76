"""Connections to a service, or to one in this process: what is tried again, and what becomes of no answer."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http import HTTPMethod
from typing import Any, Self, TypeVar

import httpx
from httpx_retries import Retry, RetryTransport
from pydantic import SecretStr

from service.client.call import Call
from service.client.destination import checked_address, checked_key, shown
from service.client.errors import Unreachable, check

Answer = TypeVar("Answer")

NOT_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout)
"""Exceptions after which the service has not seen the request."""
BROKEN_OFF = (*NOT_ARRIVED, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""Exceptions after which nobody knows."""
NOT_WORKED_ON = (429, 503)
"""Statuses of requests that changed nothing."""
PAUSE = 0.25
"""Twice this many seconds before the second try, and twice as long before each further one, if nobody says more."""
LONGEST_WAIT = 60.0
"""Seconds before a further try, whatever Retry-After says."""


@dataclass(frozen=True)
class Connection:
    """To whom, and how patiently."""

    url: str | None = field(repr=False)
    """Of the service; None for one in this process. It may hold a password."""
    api_key: SecretStr | None
    timeout: float
    """Seconds to wait for a connection, and for an answer."""
    retries: int
    """How often a call is tried again."""

    @classmethod
    def to(cls, url: str | None, api_key: str | SecretStr | None, timeout: float, retries: int) -> Self:
        """Check what a user gave; a service in this process needs no key.

        Raises:
            InvalidArgument: The address or the key cannot be used.
        """
        if url is None:
            return cls(None, None, timeout, retries)
        return cls(checked_address(url), checked_key(api_key), timeout, retries)

    def options(self, transport: Any, address: str) -> dict[str, Any]:  # noqa: ANN401  (of either kind)
        """Say it as httpx does."""
        headers = {"Authorization": f"Bearer {self.api_key.get_secret_value()}"} if self.api_key else {}
        transport = RetryTransport(transport, self._retry(BROKEN_OFF))
        return {"base_url": address, "headers": headers, "timeout": self.timeout, "transport": transport}

    def request(self, call: Call[Any]) -> dict[str, Any]:
        """Say a call as httpx does."""
        fields = ("method", "content", "headers", "params")
        special = {} if call.repeatable else {"retry": self._retry(NOT_ARRIVED, NOT_WORKED_ON)}
        return {"url": call.path, "extensions": special, **{name: getattr(call, name) for name in fields}}

    def unreachable(self, error: httpx.TransportError) -> Unreachable:
        """Say that no answer came."""
        reason = str(error) or type(error).__name__
        place = "the service in this process" if self.url is None else shown(self.url)
        return Unreachable(f"There is no answer from {place}: {reason}.")

    def _retry(self, exceptions: tuple[type[Exception], ...], statuses: tuple[int, ...] | None = None) -> Retry:
        return Retry(
            total=self.retries,
            allowed_methods=list(HTTPMethod),
            status_forcelist=statuses,
            retry_on_exceptions=exceptions,
            backoff_factor=PAUSE,
            max_backoff_wait=LONGEST_WAIT,
        )


class Session:
    """Sends calls and waits for their answers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        transport: httpx.BaseTransport
        if connection.url is None:
            from service.client import in_process  # noqa: PLC0415  (whoever has a URL needs no service here)

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
            response = self._http.request(**self._connection.request(call))
        except httpx.TransportError as error:
            raise self._connection.unreachable(error) from error
        check(response)
        return call.read(response)

    def close(self) -> None:
        """End it."""
        self._http.close()


class AsyncSession:
    """The same, without holding anybody up; one in this process lives from `open` to `close`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lifespan = AsyncExitStack()
        self._http = None if connection.url is None else self._client(httpx.AsyncHTTPTransport(), connection.url)

    async def open(self) -> None:
        """Begin what lives in this process, if that is where the service is."""
        if self._connection.url is None:
            from service.client import in_process  # noqa: PLC0415  (whoever has a URL needs no service here)

            app = in_process.new_app()
            await self._lifespan.enter_async_context(app.router.lifespan_context(app))
            self._http = self._client(in_process.asynchronous(app), in_process.ADDRESS)

    async def send(self, call: Call[Answer]) -> Answer:
        """Send a call and read its answer.

        Raises:
            ClientError: There is none.
        """
        if self._http is None:
            raise RuntimeError("Without a URL an AsyncClient is used as `async with AsyncClient() as client:`.")
        try:
            response = await self._http.request(**self._connection.request(call))
        except httpx.TransportError as error:
            raise self._connection.unreachable(error) from error
        check(response)
        return call.read(response)

    async def close(self) -> None:
        """End it."""
        if self._http is not None:
            await self._http.aclose()
        await self._lifespan.aclose()

    def _client(self, transport: httpx.AsyncBaseTransport, address: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(**self._connection.options(transport, address))
