"""The service in this process, without a socket: the same routes, an empty database in memory, no keys."""

import weakref
from contextlib import ExitStack

import httpx
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI

from service.app import create_app
from service.settings import Settings

ADDRESS = "http://localhost"
"""A URL that an app without keys accepts."""


def new_app() -> FastAPI:
    """Make an app with the settings of the environment; its lifespan has not begun."""
    return create_app(Settings.from_environment(database_url="sqlite://", auth="off"))


def asynchronous(app: FastAPI) -> httpx.AsyncBaseTransport:
    """Make a transport to an app."""
    return httpx.ASGITransport(app, raise_app_exceptions=False)


class InProcess(httpx.BaseTransport):
    """A transport to an app in a separate thread, which ends when this is closed or garbage collected."""

    def __init__(self) -> None:
        app = new_app()
        self._inside = asynchronous(app)
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal())
            stack.enter_context(self._portal.wrap_async_context_manager(app.router.lifespan_context(app)))
            self._end = weakref.finalize(self, stack.pop_all().close)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the app, and wait for the response."""
        return self._portal.call(self._answer, request)

    def close(self) -> None:
        """Stop the app."""
        self._end()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._inside.handle_async_request(request)
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())
