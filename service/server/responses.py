"""Sends a response through uvicorn: a common head together with the first piece of its body, in one write.

uvicorn writes them one after the other, and checks header by header; it also sends chunks to HTTP/1.0, which has none.
"""

from collections.abc import Awaitable

from uvicorn._types import ASGISendEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

PLAIN_HEADERS = frozenset(
    {
        *(b"content-length", b"content-type", b"etag", b"x-content-type-options"),
        *(b"x-request-id", b"server-timing", b"ratelimit", b"ratelimit-policy"),
    }
)
"""Headers that do not affect the connection; a head with another one is left to uvicorn."""
CONTROL_CHARACTERS = bytes([*range(0x09), *range(0x0A, 0x20), 0x7F])
"""Refused by uvicorn in values of headers."""
COPIED_BYTES = 2**16
"""A larger piece of a body is written by itself: copying it behind the head takes longer than another write."""


class ResponseSender:
    """Sends the messages of one response.

    Args:
        cycle: uvicorn's state of the request.
    """

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._head = b""
        """A head that was accepted and not written; uvicorn counts its bytes as part of the body."""
        self._ends_with_connection = False
        """Whether the body has no other end."""

    def send(self, message: ASGISendEvent) -> Awaitable[None]:
        """Send a part of the response."""
        if message["type"] == "http.response.start":
            head = self._common_head(message)
            if head is not None:
                self._head = head
                return _nothing()
            self._ends_with_connection = self._close_for_end(message)
        elif self._head and message["type"] == "http.response.body":
            head, self._head = self._head, b""
            body = message.get("body", b"")
            if len(body) <= COPIED_BYTES or self._cycle.disconnected:
                message = {**message, "body": head + body}
            else:
                self._cycle.transport.write(head)
                self._cycle.expected_content_length -= len(head)
        elif self._ends_with_connection and message["type"] == "http.response.body":
            self._cycle.expected_content_length = len(message.get("body", b""))
        return self._cycle.send(message)

    def _close_for_end(self, message: HTTPResponseStartEvent) -> bool:
        """Have uvicorn send a body without length to HTTP/1.0 unchanged, not in chunks (RFC 9112, 6.1)."""
        cycle = self._cycle
        if cycle.response_started or cycle.scope.get("http_version") != "1.0":
            return False
        if any(name.lower() == b"content-length" for name, _ in message.get("headers", ())):
            return False
        cycle.chunked_encoding = False
        return True

    def _common_head(self, message: HTTPResponseStartEvent) -> bytes | None:
        """Return the bytes of a common head, and change the cycle as uvicorn does; None if uvicorn is to send it."""
        cycle = self._cycle
        if cycle.response_started or cycle.disconnected or cycle.scope["method"] == "HEAD":
            return None
        headers = list(message.get("headers", ()))
        values = dict(headers)
        text = b"".join(values.values())
        is_plain = values.keys() <= PLAIN_HEADERS and len(values) == len(headers)
        if not is_plain or b"content-length" not in values or text != text.translate(None, CONTROL_CHARACTERS):
            return None
        end = b"\r\n\r\n" if cycle.keep_alive else b"\r\nconnection: close\r\n\r\n"
        lines = b"\r\n".join(map(b": ".join, [*cycle.default_headers, *headers]))
        head = STATUS_LINE[message["status"]] + lines + end
        cycle.response_started, cycle.waiting_for_100_continue = True, False
        cycle.chunked_encoding = False
        cycle.expected_content_length = int(values[b"content-length"]) + len(head)
        return head


async def _nothing() -> None:
    pass
