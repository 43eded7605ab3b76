"""The service as one process or several: it listens, answers, and on SIGTERM leaves without dropping anything.

SIGTERM: no longer ready; after GDSSM_DRAIN_SECONDS, when nobody sends requests here any more, no new connections, and
WebSockets end; requests in flight have GDSSM_SHUTDOWN_TIMEOUT to finish. A second signal ends it at once.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection as Pipe
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from prometheus_client.multiprocess import mark_process_dead
from prometheus_client.values import close_all_multiprocess_files
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api import traces
from service.api.middleware.admission import body_capacity
from service.app import create_app
from service.errors import InvalidSettings, OperatorError
from service.observability import logs
from service.observability.metrics import SHARED_DIRECTORY_VARIABLE
from service.server import garbage_collection
from service.server.http_protocol import Connection
from service.server.stopping import Stopping
from service.server.websocket_protocol import LimitedWebSocketConnection
from service.server.workers import Workers
from service.settings import Settings
from service.store.database import Database

logger = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 75
"""Seconds that an idle connection is kept: longer than load balancers keep theirs, or they would meet closed ones."""
LISTEN_SOCKETS = 8
"""Connections taken in one turn of the event loop. libuv takes one from each listening socket, so that a hundred that
come at once would come in one by one, each behind all the requests of those who are in."""
EXIT_GRACE = 5.0
"""Seconds after the shutdown timeout, in which what was cut off can be tidied up."""


def run(settings: Settings) -> None:
    """Answer until told to stop.

    Raises:
        InvalidSettings: The address is taken, or is not ours; or the database cannot be used.
        DatabaseUnavailable: The database does not answer.
        NotReady: Several workers were asked for, and one cannot start.
    """
    logs.configure(settings.log_level, settings.log_format)
    with _listen(settings.host, settings.port) as listener:
        _run(settings, listener)


def _run(settings: Settings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    on_ready = partial(logger.info, "gdssm is running on http://%s:%s", f"[{host}]" if ":" in host else host, port)
    if settings.workers == 1:
        serve(settings, listener, on_ready)
        return
    garbage_collection.freeze_startup_objects()  # workers are separate processes; their parent loads nothing more
    with tempfile.TemporaryDirectory(prefix="gdssm-metrics-") as directory:
        os.environ[SHARED_DIRECTORY_VARIABLE] = directory  # read by the workers when they are born
        work = partial(_work, settings, listener)
        Workers(work, on_ready, partial(mark_process_dead, path=directory)).run(settings.workers)


def serve(settings: Settings, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Answer in this process until told to stop.

    Args:
        settings: Of the service.
        listener: A bound socket.
        on_ready: Called when it answers.

    Raises:
        InvalidSettings: The database cannot be used.
        DatabaseUnavailable: The database does not answer.
    """
    # Before the server starts, which would report what is wrong with it by tracebacks.
    stopping, bodies = Stopping(), body_capacity(settings)
    app = create_app(settings, Database.open(settings.database_url), stopping, bodies)
    config = uvicorn.Config(
        bypass_fastapi_entry(app),
        http=Connection.bounded(settings.request_timeout),
        ws=LimitedWebSocketConnection.bounded(bodies),
        ws_max_size=settings.max_body_bytes,
        lifespan="on",
        log_config=None,
        # With debug the WebSocket library would log all headers of a handshake, the key among them.
        log_level="info" if settings.log_level == "debug" else settings.log_level,
        access_log=False,  # `api.middleware.observability` writes a line for each request
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_timeout,
    )
    doors = [listener, *(listener.dup() for _ in range(LISTEN_SOCKETS - 1))]
    Server(config, settings, stopping, on_ready).run(doors)


def bypass_fastapi_entry(app: FastAPI) -> ASGIApp:
    """Go to the layers at once where nothing is traced; FastAPI's own way in asks for each request whether it is."""
    layers = app.middleware_stack
    if layers is None or traces.are_requested():
        return app

    async def enter(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        scope["app"] = app
        await layers(scope, receive, send)

    return enter


class Server(uvicorn.Server):
    """Leaves in the order that the module says."""

    def __init__(
        self, config: uvicorn.Config, settings: Settings, stopping: Stopping, on_ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._settings = settings
        self._stopping = stopping
        self._on_ready = on_ready
        self._leave_at = float("inf")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Be live at once, ready when everything is loaded, and then say so; a worker goes when its parent is gone."""
        loading = await self._answer_meanwhile(sockets or [])
        try:
            await super().startup(sockets)
        finally:
            for server in loading:
                server.close()
        parent = multiprocessing.parent_process()
        if parent is not None:
            asyncio.get_running_loop().add_reader(parent.sentinel, self._begin_to_leave, 0.0)
        self._on_ready()
        garbage_collection.freeze_startup_objects()

    async def _answer_meanwhile(self, sockets: list[socket.socket]) -> list[asyncio.Server]:
        """Take connections before the app has started: it is live, and answers 503 to what needs more than that."""
        kind: Any = self.config.http_protocol_class
        make = partial(kind, config=self.config, server_state=self.server_state, app_state={})
        loop = asyncio.get_running_loop()
        return [await loop.create_server(make, sock=listener.dup()) for listener in sockets[:1]]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to leave, or end at once; of a worker's signals, which may come twice, its parent keeps count."""
        del frame
        if self._stopping.begun and multiprocessing.parent_process() is None:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        self._begin_to_leave(self._settings.drain_seconds if sig == signal.SIGTERM else 0.0)

    def _begin_to_leave(self, drain: float) -> None:
        self._stopping.begun = True
        self._leave_at = min(self._leave_at, time.monotonic() + drain)

    async def on_tick(self, counter: int) -> bool:
        """Leave when it is time; uvicorn asks ten times a second."""
        return await super().on_tick(counter) or time.monotonic() >= self._leave_at

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End WebSockets between two messages, then let uvicorn finish the rest."""
        end = threading.Timer(self._settings.shutdown_timeout + EXIT_GRACE, os._exit, [1])
        end.daemon = True  # what computes for longer, or waits for a database, must not keep the process
        end.start()
        self._stopping.streams.set()
        await asyncio.sleep(0.1)  # as long as uvicorn waits for connections to close
        await super().shutdown(sockets)


def _work(settings: Settings, listener: socket.socket, ready: Pipe) -> None:
    """Be one of several workers."""
    garbage_collection.disable_during_startup()
    os.setpgrp()  # Ctrl-C in a terminal is for the parent, which passes it on
    logs.configure(settings.log_level, settings.log_format)

    def tell() -> None:
        with suppress(BrokenPipeError):  # the parent is gone already; its sentinel says so too
            ready.send(True)

    with listener:
        try:
            serve(settings, listener, tell)
        except OperatorError as error:
            logger.error("%s", error)  # its traceback says nothing more
            sys.exit(2)
    close_all_multiprocess_files()  # type: ignore[no-untyped-call]  # it has no types


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InvalidSettings(f"Cannot listen on {host}, port {port}: {error.strerror}. Choose another.") from error
    return listener
