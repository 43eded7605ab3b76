"""Sends a response through uvicorn, with the headers of a common head checked together instead of one by one."""

from collections.abc import Coroutine, Sequence
from typing import Any

from uvicorn._types import ASGISendEvent
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


def send(cycle: RequestResponseCycle, message: ASGISendEvent) -> Coroutine[Any, Any, None]:
    """Send a part of a response."""
    ready = not (cycle.response_started or cycle.flow.write_paused or cycle.disconnected)
    if ready and message["type"] == "http.response.start":
        headers = list(message.get("headers", ()))
        values = dict(headers)
        text = b"".join(values.values())
        is_plain = values.keys() <= PLAIN_HEADERS and len(values) == len(headers)
        if is_plain and b"content-length" in values and text == text.translate(None, CONTROL_CHARACTERS):
            return _send_head(cycle, message["status"], headers, int(values[b"content-length"]))
    return cycle.send(message)


async def _send_head(
    cycle: RequestResponseCycle, status: int, headers: Sequence[tuple[bytes, bytes]], length: int
) -> None:
    cycle.response_started, cycle.waiting_for_100_continue = True, False
    cycle.chunked_encoding, cycle.expected_content_length = False, length
    end = b"\r\n\r\n" if cycle.keep_alive else b"\r\nconnection: close\r\n\r\n"
    lines = b"\r\n".join(map(b": ".join, [*cycle.default_headers, *headers]))
    cycle.transport.write(STATUS_LINE[status] + lines + end)
