"""An app called without a server: its lifespan runs, its requests go straight in."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from queue import SimpleQueue
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from starlette.types import Message

from service.api.state import AppState
from service.app import create_app
from service.settings import Settings

TIMEOUT = 60.0


class InProcess:
    """A client of one app; an unexpected exception comes back as the response that a server would send."""

    def __init__(self, app: FastAPI, portal: BlockingPortal) -> None:
        self.app = app
        self._portal = portal
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=self._transport, base_url="http://localhost")

    @property
    def raising(self) -> bool:
        """Whether an exception that a server would get comes out of a request."""
        return self._transport.raise_app_exceptions

    @raising.setter
    def raising(self, value: bool) -> None:
        self._transport.raise_app_exceptions = value

    @property
    def state(self) -> AppState:
        state: AppState = self.app.state.service
        return state

    def replace(self, **parts: object) -> None:
        """Replace parts of the app's state, of any type."""
        self.app.state.service = replace(self.state, **parts)  # type: ignore[arg-type]

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def predict(self, body: object) -> httpx.Response:
        return self.request("POST", "/v1/predict", json=body)

    def send(self, content: bytes | Iterable[bytes], content_type: str = "application/json") -> httpx.Response:
        """Post raw bytes to /v1/predict; several chunks go without a Content-Length."""
        headers = {"Content-Type": content_type}
        sent = content if isinstance(content, bytes) else _chunked(content)
        return self.request("POST", "/v1/predict", content=sent, headers=headers)

    def request(self, method: str, path: str, **options: object) -> httpx.Response:
        return self._portal.call(partial(self._client.request, method, path, **options))  # type: ignore[arg-type, call-arg]

    @contextmanager
    def websocket(self, path: str) -> "Iterator[WebSocket]":
        """Open a WebSocket."""
        socket = WebSocket(self._portal)
        with socket.opened(self.app, path):
            yield socket


@contextmanager
def in_process(settings: Settings) -> Iterator[InProcess]:
    """Start an app, with a new database unless the settings name one, and stop it again."""
    with tempfile.TemporaryDirectory() as directory:
        if "database_url" not in settings.model_fields_set:
            settings = settings.model_copy(update={"database_url": f"sqlite:///{directory}/gdssm.db"})
        app = create_app(settings)
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(app.router.lifespan_context(app)):
            yield InProcess(app, portal)


async def _chunked(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class WebSocket:
    """A WebSocket to an app that is called without a server."""

    def __init__(self, portal: BlockingPortal) -> None:
        self._portal = portal
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._received: SimpleQueue[Message] = SimpleQueue()

    def send(self, message: object) -> None:
        """Send a message as JSON."""
        self._put({"type": "websocket.receive", "text": json.dumps(message)})

    def receive(self) -> dict[str, Any]:
        """Wait for a message."""
        message = self._received.get(timeout=TIMEOUT)
        assert message["type"] == "websocket.send", message
        found: dict[str, Any] = json.loads(message["text"])
        return found

    @contextmanager
    def opened(self, app: FastAPI, path: str) -> Iterator[None]:
        """Run the app on the connection, and end it."""
        scope: dict[str, object] = {"type": "websocket", "scheme": "ws", "http_version": "1.1", "path": path}
        scope |= {"raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": [(b"host", b"localhost")]}
        scope |= {"subprotocols": [], "client": ("127.0.0.1", 1), "server": ("localhost", 80), "state": {}}
        running = self._portal.start_task_soon(app, scope, self._sent.get, self._take)
        self._put({"type": "websocket.connect"})
        assert self._received.get(timeout=TIMEOUT)["type"] == "websocket.accept"
        try:
            yield
        finally:
            self._put({"type": "websocket.disconnect", "code": 1000})
            running.result(TIMEOUT)

    def _put(self, message: Message) -> None:
        self._portal.call(self._sent.put_nowait, message)

    async def _take(self, message: Message) -> None:
        self._received.put(message)
