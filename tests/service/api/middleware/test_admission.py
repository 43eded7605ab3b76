import asyncio
from collections.abc import AsyncIterator

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from service.api.middleware.admission import Admission
from service.errors import ServiceError
from service.observability.metrics import Metrics, MetricsRenderer
from service.settings import Settings


class House:
    """Some bounds in front of an app that reads the body, then waits until it is let go."""

    def __init__(self, **bounds: float) -> None:
        self.metrics = Metrics()
        self.let_go = asyncio.Event()
        self._entered: asyncio.Queue[None] = asyncio.Queue()
        self.read: list[int] = []
        self._app = Admission(self._wait, Settings(**bounds), self.metrics)  # type: ignore[arg-type]

    async def ask(
        self, content: bytes | AsyncIterator[bytes] = b"", path: str = "/v1/predict", **headers: str
    ) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://house") as client:
            return await client.post(path, content=content, headers=headers)

    async def filled(self, count: int, content: bytes = b"") -> list[asyncio.Task[httpx.Response]]:
        """Send requests and wait until they are inside."""
        tasks = [asyncio.create_task(self.ask(content)) for _ in range(count)]
        for _ in range(count):
            await self._entered.get()
        return tasks

    def shown(self, name: str) -> float:
        text = MetricsRenderer(self.metrics, {}).render().decode()
        return float(next(line for line in text.splitlines() if line.startswith(f"gdssm_{name} ")).split()[1])

    async def _wait(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.read.append(len(await Request(scope, receive).body()))
        self._entered.put_nowait(None)
        await self.let_go.wait()
        await PlainTextResponse("done")(scope, receive, send)


async def chunks(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b" " * size


async def stuck() -> AsyncIterator[bytes]:
    yield b" "
    await asyncio.Event().wait()


def refused(answer: httpx.Response, bound: str) -> bool:
    body = answer.json()
    assert (answer.status_code, body["error_type"], answer.headers["retry-after"]) == (503, "overloaded", "1"), body
    return bound in body["error"]


def test_one_request_too_many_is_refused_at_once_and_probes_are_not() -> None:
    async def crowd() -> None:
        house = House(max_in_flight=3)
        tasks = await house.filled(3)
        assert house.shown("in_flight") == 3
        assert refused(await house.ask(stuck()), "GDSSM_MAX_IN_FLIGHT")  # its body never comes
        assert len(house.read) == 3
        house.let_go.set()
        for path in ("/health/live", "/health/ready", "/metrics", "/v2/health/live"):
            assert (await house.ask(path=path)).status_code == 200
        assert [(await task).text for task in tasks] == ["done"] * 3
        assert house.shown("in_flight") == 0
        assert (await house.ask()).status_code == 200

    asyncio.run(crowd())


def test_those_that_come_at_one_moment_are_counted_before_any_is_worked_on() -> None:
    async def at_once() -> None:
        house = House(max_in_flight=3)
        house.let_go.set()  # so each of them is answered without the event loop being left
        answers = await asyncio.gather(*(house.ask() for _ in range(30)))
        statuses = [answer.status_code for answer in answers]
        assert statuses.count(200) == 3
        assert statuses.count(503) == 27

    asyncio.run(at_once())


def test_announced_bytes_are_reserved_before_they_come() -> None:
    async def crowd() -> None:
        house = House(max_bytes_in_flight=100)
        tasks = await house.filled(1, b" " * 70)
        assert house.shown("bytes_in_flight") == 70
        assert refused(await house.ask(b" " * 31), "GDSSM_MAX_BYTES_IN_FLIGHT")
        never = house.ask(stuck(), **{"Content-Length": "31"})
        assert refused(await asyncio.wait_for(never, 10), "GDSSM_MAX_BYTES_IN_FLIGHT")
        assert house.read == [70]
        tasks += await house.filled(2, b"")
        house.let_go.set()
        await asyncio.gather(*tasks)
        assert (await house.ask(b" " * 100)).status_code == 200
        assert house.shown("bytes_in_flight") == 0

    asyncio.run(crowd())


def test_bytes_that_are_not_announced_are_counted_as_they_come() -> None:
    async def crowd() -> None:
        house = House(max_bytes_in_flight=100)
        house.let_go.set()
        assert (await house.ask(chunks(60, 40))).status_code == 200
        assert refused(await house.ask(chunks(60, 41, 1000)), "GDSSM_MAX_BYTES_IN_FLIGHT")
        assert house.shown("bytes_in_flight") == 0
        assert house.shown("in_flight") == 0

    asyncio.run(crowd())


def test_a_body_over_its_own_limit_takes_no_more_than_that() -> None:
    async def alone() -> None:
        house = House(max_bytes_in_flight=100, max_body_bytes=10)
        house.let_go.set()
        assert (await house.ask(b" " * 50)).status_code == 200  # what it is refused for is the route's affair
        async with httpx.AsyncClient(transport=httpx.ASGITransport(house._app), base_url="http://house") as client:
            await client.post("/", headers={"Content-Length": "9" * 30})
        assert house.shown("bytes_in_flight") == 0

    asyncio.run(alone())


def test_a_body_that_does_not_come_in_time_is_408_and_the_connection_ends() -> None:
    async def slow() -> None:
        house = House(request_timeout=0.05)
        answer = await house.ask(stuck())
        assert (answer.status_code, answer.json()["error_type"]) == (408, "too_slow")
        assert answer.json()["error"] == (
            "The body must arrive within 0.05 seconds (GDSSM_REQUEST_TIMEOUT). Send it faster, or in smaller requests."
        )
        assert answer.headers["connection"] == "close"
        assert house.shown("in_flight") == house.shown("bytes_in_flight") == 0

    asyncio.run(slow())


def test_refused_body_is_reported_whatever_the_app_answers() -> None:
    async def other(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await Request(scope, receive).body()
        except ServiceError:
            await PlainTextResponse("There was an error parsing the body", 400)(scope, receive, send)

    async def slow() -> None:
        app = Admission(other, Settings(request_timeout=0.05), Metrics())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://house") as client:
            assert (await client.post("/v1/predict", content=stuck())).status_code == 408

    asyncio.run(slow())
