"""A WebSocket between a test that sends bytes and an app that receives messages on request."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from service.access.keys import ANONYMOUS, Caller
from service.api.middleware.admission import Capacity
from service.server.websocket_protocol import LimitedWebSocketConnection


class Wire(asyncio.Transport):
    """The transport of the server."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.reading = True

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Connection:
    """A caller at one end, and at the other an app that receives a message on request."""

    def __init__(self, bodies: Capacity, caller: Caller = ANONYMOUS) -> None:
        self.messages: list[dict[str, object]] = []
        self.wire = Wire()
        self._asked: asyncio.Queue[None] = asyncio.Queue()
        config = Config(self._app, interface="asgi3", log_config=None, ws_per_message_deflate=False)
        config.load()
        self.server = LimitedWebSocketConnection.with_limits(bodies)(config, ServerState(), {"caller": caller})
        self.server.connection_made(self.wire)
        self._client = ClientProtocol(parse_uri("ws://localhost/"), max_size=None)

    async def _app(self, _: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while not self.messages or self.messages[-1]["type"] == "websocket.receive":
            await self._asked.get()
            self.messages.append(dict(await receive()))
        await asyncio.Event().wait()

    async def opened(self) -> "Connection":
        self._client.send_request(self._client.connect())
        self.server.data_received(b"".join(self._client.data_to_send()))
        await settled()
        self.hear()
        return self

    def hear(self) -> None:
        self._client.receive_data(self.wire.written)
        self.wire.written = b""

    def frame(self, size: int, *, begins: bool = True, ends: bool = True) -> bytes:
        if begins:
            self._client.send_binary(b"a" * size, fin=ends)
        else:
            self._client.send_continuation(b"a" * size, fin=ends)
        return b"".join(self._client.data_to_send())

    def send(self, size: int, **part: bool) -> None:
        self.server.data_received(self.frame(size, **part))

    async def ask(self) -> None:
        """Let the app receive a message."""
        self._asked.put_nowait(None)
        await settled()

    @property
    def closed_with(self) -> tuple[int | None, str | None]:
        self.hear()
        close = self._client.close_rcvd
        return (close.code, close.reason) if close else (None, None)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def of_bytes(most: int = 10_000, share: float = 1.0) -> Capacity:
    return Capacity(most, share, "Full.", "bytes")


def with_one(test: Callable[[Connection, Capacity], Awaitable[None]], most: int = 10_000) -> None:
    async def run() -> None:
        bodies = of_bytes(most)
        connection = await Connection(bodies).opened()
        assert bodies.used == 0
        await test(connection, bodies)

    asyncio.run(run())
