import asyncio

from starlette.types import Message, Receive, Scope, Send

from service.api.middleware.websockets import WebSocketLimiter
from service.observability.metrics import Metrics
from service.server.stopping import Stopping

SCOPE = {"type": "websocket", "path": "/", "headers": [], "extensions": {"websocket.http.response": {}}}


class EchoApp:
    """A WebSocket app that echoes messages until its client disconnects."""

    def __init__(self, limit: int) -> None:
        self.stopping = Stopping()
        self._app = WebSocketLimiter(self._echo, limit, self.stopping, Metrics())

    async def _echo(self, _: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            await asyncio.sleep(0.01)  # the processing of a message
            await send({"type": "websocket.send", "text": message["text"]})

    def connect(self) -> "Caller":
        return Caller(self._app)


class Caller:
    """One connection."""

    def __init__(self, app: WebSocketLimiter) -> None:
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self.received: asyncio.Queue[Message] = asyncio.Queue()
        self.task = asyncio.create_task(app(dict(SCOPE), self._sent.get, self.received.put))

    def say(self, **message: object) -> None:
        self._sent.put_nowait(message)

    async def hear(self) -> Message:
        return await asyncio.wait_for(self.received.get(), 60)


async def opened(app: EchoApp) -> Caller:
    caller = app.connect()
    assert (await caller.hear())["type"] == "websocket.accept"
    return caller


async def refused(app: EchoApp) -> bytes:
    caller = app.connect()
    start, body = await caller.hear(), await caller.hear()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 503)
    assert (b"retry-after", b"1") in start["headers"]
    sent: bytes = body["body"]
    return sent


def test_connection_over_the_limit_is_refused_until_another_closes() -> None:
    async def crowd() -> None:
        app = EchoApp(limit=2)
        first, second = await opened(app), await opened(app)
        assert b"GDSSM_MAX_IN_FLIGHT" in await refused(app)
        first.say(type="websocket.disconnect", code=1000)
        await first.task
        await opened(app)
        second.say(type="websocket.receive", text="hello")
        assert (await second.hear())["text"] == "hello"

    asyncio.run(crowd())


def test_stopping_closes_with_1001_after_the_message_in_flight() -> None:
    async def stop() -> None:
        app = EchoApp(limit=2)
        busy, idle = await opened(app), await opened(app)
        busy.say(type="websocket.receive", text="hello")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        app.stopping.begun = True
        app.stopping.streams.set()
        assert (await busy.hear())["text"] == "hello"
        for caller in (busy, idle):
            closed = await caller.hear()
            assert (closed["type"], closed["code"]) == ("websocket.close", 1001)
            await caller.task
        assert b"is stopping. Send the request to another one, or try again in a moment." in await refused(app)

    asyncio.run(stop())
