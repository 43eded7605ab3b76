"""A fake service that sends prepared responses and records requests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """One answer; status 0 hangs up instead."""

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """The pause before each byte of the body."""


@dataclass
class StandIn:
    """Gives its replies in turn, then repeats the last one."""

    replies: list[Reply]
    url: str = ""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and Idempotency-Key of every request."""
    ended: threading.Event = field(default_factory=threading.Event)
    authorizations: list[str | None] = field(default_factory=list)
    """Of every request."""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers.get("Content-Length", 0)))
        self.asked.append((request.command, request.path, request.headers.get("Idempotency-Key")))
        self.authorizations.append(request.headers.get("Authorization"))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if reply.status == 0:
            request.close_connection = True
            return
        request.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            request.send_header(name, value)
        request.end_headers()
        self._write(request, reply)

    def _write(self, request: BaseHTTPRequestHandler, reply: Reply) -> None:
        if not reply.seconds:
            request.wfile.write(reply.body)
            return
        with suppress(OSError):  # the client has left
            for byte in reply.body:
                if self.ended.wait(reply.seconds):
                    return
                request.wfile.write(bytes([byte]))


@contextmanager
def standing_in(*replies: Reply) -> Iterator[StandIn]:
    """Serve on a free port."""
    stand_in = StandIn(list(replies))

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            stand_in.answer(self)

        do_GET = do_POST = do_DELETE = _reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        stand_in.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield stand_in
        finally:
            stand_in.ended.set()
            server.shutdown()
            thread.join()
