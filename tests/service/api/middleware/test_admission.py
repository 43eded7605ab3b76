import asyncio
from collections.abc import AsyncIterator

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from service.api.middleware.admission import Admission, body_capacity
from service.errors import ServiceError
from service.observability.metrics import Metrics, MetricsRenderer
from service.settings import Settings


class LimitedApp:
    """An app behind admission control that reads the body, then waits for `let_go`."""

    def __init__(self, **bounds: float) -> None:
        self.metrics = Metrics()
        self.let_go = asyncio.Event()
        self._entered: asyncio.Queue[None] = asyncio.Queue()
        self.read: list[int] = []
        settings = Settings(**bounds)  # type: ignore[arg-type]
        self._app = Admission(self._wait, settings, self.metrics, body_capacity(settings))

    async def ask(
        self, content: bytes | AsyncIterator[bytes] = b"", path: str = "/v1/predict", **headers: str
    ) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://service") as client:
            return await client.post(path, content=content, headers=headers)

    async def filled(self, count: int, content: bytes = b"") -> list[asyncio.Task[httpx.Response]]:
        """Send requests, and wait until the app has received them."""
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


def test_request_over_the_limit_is_503_and_probes_are_not() -> None:
    async def crowd() -> None:
        app = LimitedApp(max_in_flight=3)
        tasks = await app.filled(3)
        assert app.shown("in_flight") == 3
        assert refused(await app.ask(stuck()), "GDSSM_MAX_IN_FLIGHT")  # its body never arrives
        assert len(app.read) == 3
        app.let_go.set()
        for path in ("/health/live", "/health/ready", "/metrics", "/v2/health/live"):
            assert (await app.ask(path=path)).status_code == 200
        assert [(await task).text for task in tasks] == ["done"] * 3
        assert app.shown("in_flight") == 0
        assert (await app.ask()).status_code == 200

    asyncio.run(crowd())


def test_simultaneous_requests_are_counted_before_the_first_is_processed() -> None:
    async def at_once() -> None:
        app = LimitedApp(max_in_flight=3)
        app.let_go.set()  # the app then responds without yielding to the event loop
        answers = await asyncio.gather(*(app.ask() for _ in range(30)))
        statuses = [answer.status_code for answer in answers]
        assert statuses.count(200) == 3
        assert statuses.count(503) == 27

    asyncio.run(at_once())


def test_content_length_is_reserved_before_the_body_arrives() -> None:
    async def crowd() -> None:
        app = LimitedApp(max_bytes_in_flight=100)
        tasks = await app.filled(1, b" " * 70)
        assert app.shown("bytes_in_flight") == 70
        assert refused(await app.ask(b" " * 31), "GDSSM_MAX_BYTES_IN_FLIGHT")
        never = app.ask(stuck(), **{"Content-Length": "31"})
        assert refused(await asyncio.wait_for(never, 60), "GDSSM_MAX_BYTES_IN_FLIGHT")
        assert app.read == [70]
        tasks += await app.filled(2, b"")
        app.let_go.set()
        await asyncio.gather(*tasks)
        assert (await app.ask(b" " * 100)).status_code == 200
        assert app.shown("bytes_in_flight") == 0

    asyncio.run(crowd())


def test_chunked_bytes_are_counted_as_they_arrive() -> None:
    async def crowd() -> None:
        app = LimitedApp(max_bytes_in_flight=100)
        app.let_go.set()
        assert (await app.ask(chunks(60, 40))).status_code == 200
        assert refused(await app.ask(chunks(60, 41, 1000)), "GDSSM_MAX_BYTES_IN_FLIGHT")
        assert app.shown("bytes_in_flight") == 0
        assert app.shown("in_flight") == 0

    asyncio.run(crowd())


def test_body_over_the_body_limit_reserves_only_the_limit() -> None:
    async def alone() -> None:
        app = LimitedApp(max_bytes_in_flight=100, max_body_bytes=10)
        app.let_go.set()
        assert (await app.ask(b" " * 50)).status_code == 200  # the body limit is checked by the route
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app._app), base_url="http://service") as client:
            await client.post("/", headers={"Content-Length": "9" * 30})
        assert app.shown("bytes_in_flight") == 0

    asyncio.run(alone())


def test_late_body_is_408_and_closes_the_connection() -> None:
    async def slow() -> None:
        app = LimitedApp(request_timeout=0.05)
        answer = await app.ask(stuck())
        assert (answer.status_code, answer.json()["error_type"]) == (408, "too_slow")
        assert answer.json()["error"] == (
            "The body must arrive within 0.05 seconds (GDSSM_REQUEST_TIMEOUT). Send it faster, or in smaller requests."
        )
        assert answer.headers["connection"] == "close"
        assert app.shown("in_flight") == app.shown("bytes_in_flight") == 0

    asyncio.run(slow())


def test_refused_body_is_reported_whatever_the_app_answers() -> None:
    async def other(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await Request(scope, receive).body()
        except ServiceError:
            await PlainTextResponse("There was an error parsing the body", 400)(scope, receive, send)

    async def slow() -> None:
        app = Admission(other, Settings(request_timeout=0.05), Metrics(), body_capacity(Settings()))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            assert (await client.post("/v1/predict", content=stuck())).status_code == 408

    asyncio.run(slow())
