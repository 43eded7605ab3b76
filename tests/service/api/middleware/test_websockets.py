import asyncio

from starlette.types import Message, Receive, Scope, Send

from service.api.middleware.websockets import WebSocketLimiter
from service.observability.metrics import Metrics
from service.server.stopping import Stopping

SCOPE = {"type": "websocket", "path": "/", "headers": [], "extensions": {"websocket.http.response": {}}}


class House:
    """A WebSocket app that echoes messages until its client disconnects."""

    def __init__(self, most: int) -> None:
        self.stopping = Stopping()
        self._app = WebSocketLimiter(self._repeat, most, self.stopping, Metrics())

    async def _repeat(self, _: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            await asyncio.sleep(0.01)  # the processing of a message
            await send({"type": "websocket.send", "text": message["text"]})

    def connect(self) -> "Caller":
        return Caller(self._app)


class Caller:
    """One connection."""

    def __init__(self, app: WebSocketLimiter) -> None:
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self.heard: asyncio.Queue[Message] = asyncio.Queue()
        self.task = asyncio.create_task(app(dict(SCOPE), self._said.get, self.heard.put))

    def say(self, **message: object) -> None:
        self._said.put_nowait(message)

    async def hear(self) -> Message:
        return await asyncio.wait_for(self.heard.get(), 10)


async def opened(house: House) -> Caller:
    caller = house.connect()
    assert (await caller.hear())["type"] == "websocket.accept"
    return caller


async def refused(house: House) -> bytes:
    caller = house.connect()
    start, body = await caller.hear(), await caller.hear()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 503)
    assert (b"retry-after", b"1") in start["headers"]
    sent: bytes = body["body"]
    return sent


def test_connection_over_the_limit_is_refused_until_another_closes() -> None:
    async def crowd() -> None:
        house = House(most=2)
        first, second = await opened(house), await opened(house)
        assert b"GDSSM_MAX_IN_FLIGHT" in await refused(house)
        first.say(type="websocket.disconnect", code=1000)
        await first.task
        await opened(house)
        second.say(type="websocket.receive", text="hello")
        assert (await second.hear())["text"] == "hello"

    asyncio.run(crowd())


def test_stopping_closes_with_1001_after_the_message_in_flight() -> None:
    async def stop() -> None:
        house = House(most=2)
        busy, idle = await opened(house), await opened(house)
        busy.say(type="websocket.receive", text="hello")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        house.stopping.begun = True
        house.stopping.streams.set()
        assert (await busy.hear())["text"] == "hello"
        for caller in (busy, idle):
            closed = await caller.hear()
            assert (closed["type"], closed["code"]) == ("websocket.close", 1001)
            await caller.task
        assert b"is stopping. Send the request to another one, or try again in a moment." in await refused(house)

    asyncio.run(stop())
