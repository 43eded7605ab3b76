"""Runs the service in one process or several, with a graceful shutdown.

On SIGTERM the service is no longer ready. After GDSSM_DRAIN_SECONDS, in which load balancers stop sending requests, it
refuses new connections and closes WebSockets; requests in flight have GDSSM_SHUTDOWN_TIMEOUT to finish. A second signal
ends the process at once.
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
from prometheus_client.multiprocess import mark_process_dead
from prometheus_client.values import close_all_multiprocess_files

from service.api.middleware.admission import body_capacity
from service.app import create_app
from service.errors import InvalidSettings, OperatorError
from service.observability import logs
from service.observability.metrics import SHARED_DIRECTORY_VARIABLE
from service.server import garbage_collection
from service.server.allocator import keep_free_memory
from service.server.http_protocol import HttpConnection
from service.server.stopping import Stopping
from service.server.websocket_protocol import LimitedWebSocketConnection
from service.server.workers import Workers
from service.settings import Settings
from service.store.database import Database

logger = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 75
"""Seconds that an idle connection is kept: longer than load balancers keep theirs, which would use closed ones."""
LISTEN_SOCKETS = 8
"""Connections that are accepted in one iteration of the event loop: libuv accepts one from each listening socket. With
one socket a burst of connections would be accepted one by one, each behind the requests of the connections before."""
EXIT_GRACE = 5.0
"""Seconds after the shutdown timeout in which cancelled requests can clean up, before the process is ended."""


def run(settings: Settings) -> None:
    """Serve until a signal to stop.

    Raises:
        InvalidSettings: The address is in use or not local, or the database cannot be used.
        DatabaseUnavailable: The database does not answer.
        NotReady: One of several workers could not start.
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
    garbage_collection.freeze_startup_objects()  # workers are separate processes; this one loads nothing more
    with tempfile.TemporaryDirectory(prefix="gdssm-metrics-") as directory:
        os.environ[SHARED_DIRECTORY_VARIABLE] = directory  # inherited by the workers
        work = partial(_work, settings, listener)
        Workers(work, on_ready, partial(mark_process_dead, path=directory)).run(settings.workers)


def serve(settings: Settings, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve in this process until a signal to stop.

    Args:
        settings: Of the service.
        listener: A bound socket.
        on_ready: Called when the service is ready.

    Raises:
        InvalidSettings: The database cannot be used.
        DatabaseUnavailable: The database does not answer.
    """
    keep_free_memory()
    # The database is opened before the server starts, which would report errors as tracebacks.
    database = Database.open(settings.database_url, settings.database_connections)
    database.check_writable()
    stopping, bodies = Stopping(), body_capacity(settings)
    app = create_app(settings, database, stopping, bodies)
    config = uvicorn.Config(
        app,
        http=HttpConnection.with_limits(settings.request_timeout),
        ws=LimitedWebSocketConnection.with_limits(bodies),
        ws_max_size=settings.max_body_bytes,
        lifespan="on",
        log_config=None,
        # At level debug the WebSocket library logs the headers of handshakes, which include API keys.
        log_level="info" if settings.log_level == "debug" else settings.log_level,
        access_log=False,  # written by `api.middleware.observability`
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_timeout,
    )
    sockets = [listener, *(listener.dup() for _ in range(LISTEN_SOCKETS - 1))]
    Server(config, settings, stopping, on_ready).run(sockets)


class Server(uvicorn.Server):
    """uvicorn's server with the shutdown that this module describes."""

    def __init__(
        self, config: uvicorn.Config, settings: Settings, stopping: Stopping, on_ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._settings = settings
        self._stopping = stopping
        self._on_ready = on_ready
        self._exit_at = float("inf")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the app, and call `on_ready` when it is loaded; a worker shuts down when its parent has ended."""
        temporary = await self._serve_while_loading(sockets or [])
        try:
            await super().startup(sockets)
        finally:
            for server in temporary:
                server.close()
        parent = multiprocessing.parent_process()
        if parent is not None:
            asyncio.get_running_loop().add_reader(parent.sentinel, self._begin_shutdown, 0.0)
        self._on_ready()
        garbage_collection.freeze_startup_objects()

    async def _serve_while_loading(self, sockets: list[socket.socket]) -> list[asyncio.Server]:
        """Accept connections before the app has started: it is live, and sends 503 to requests that need its state."""
        protocol: Any = self.config.http_protocol_class
        factory = partial(protocol, config=self.config, server_state=self.server_state, app_state={})
        loop = asyncio.get_running_loop()
        return [await loop.create_server(factory, sock=listener.dup()) for listener in sockets[:1]]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the shutdown; a second signal ends the process, but not a worker, which may receive one twice."""
        del frame
        if self._stopping.begun and multiprocessing.parent_process() is None:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        self._begin_shutdown(self._settings.drain_seconds if sig == signal.SIGTERM else 0.0)

    def _begin_shutdown(self, drain: float) -> None:
        self._stopping.begun = True
        self._exit_at = min(self._exit_at, time.monotonic() + drain)

    async def on_tick(self, counter: int) -> bool:
        """Return whether to shut down; uvicorn calls this ten times a second."""
        return await super().on_tick(counter) or time.monotonic() >= self._exit_at

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close WebSockets between two messages, then run uvicorn's shutdown."""
        forced_exit = threading.Timer(self._settings.shutdown_timeout + EXIT_GRACE, os._exit, [1])
        forced_exit.daemon = True  # a long computation, or a wait for the database, must not keep the process alive
        forced_exit.start()
        self._stopping.streams.set()
        await asyncio.sleep(0.1)  # uvicorn's interval between two checks for open connections
        await super().shutdown(sockets)


def _work(settings: Settings, listener: socket.socket, ready: Pipe) -> None:
    """Serve in a worker process."""
    garbage_collection.disable_during_startup()
    os.setpgrp()  # Ctrl-C in a terminal signals the parent only, which stops the workers
    logs.configure(settings.log_level, settings.log_format)

    def report_ready() -> None:
        with suppress(BrokenPipeError):  # the parent has ended, which `Server` notices
            ready.send(True)

    with listener:
        try:
            serve(settings, listener, report_ready)
        except OperatorError as error:
            logger.error("%s", error)  # without a traceback, which adds nothing
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
