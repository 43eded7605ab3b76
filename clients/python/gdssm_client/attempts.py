"""When a request is sent again: temporary refusals and broken connections, within a deadline; each is logged."""

import logging
import random
import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from gdssm_client.call import Call

CONNECT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout)
"""The request did not arrive."""
CONNECTION_ERRORS = (*CONNECT_ERRORS, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""The request may have arrived."""
REFUSED_STATUSES = {429, 503}
"""Of requests that changed nothing."""
TEMPORARY_STATUSES = {429, 502, 503, 504}
BACKOFF_FACTOR = 0.25
"""Seconds, doubled before each retry without Retry-After."""
RETRY_WAIT_LIMIT = 60.0
"""Seconds before a retry, also with Retry-After."""

Outcome = httpx.Response | httpx.TransportError

log = logging.getLogger("gdssm_client")


class Attempts:
    """The attempts at one call.

    Args:
        call: The request.
        retries: How often it is sent again.
        timeout: Seconds to wait for a connection, and for a response.
        deadline: Seconds for the call with all its retries; None for no limit.
    """

    def __init__(self, call: Call[Any], retries: int, timeout: float, deadline: float | None) -> None:
        self._call, self._retries, self._timeout, self._deadline = call, retries, timeout, deadline
        self._begin, self._sent = time.monotonic(), 0

    def request(self) -> dict[str, Any]:
        """Count an attempt; returns the arguments of an httpx request."""
        self._sent += 1
        call, left = self._call, self.left()
        timeout = self._timeout if left is None else max(0.001, min(self._timeout, left))
        fields = {name: getattr(call, name) for name in ("method", "content", "headers", "params")}
        return {"url": call.path, "timeout": timeout, **fields}

    def pause(self, outcome: Outcome) -> float | None:
        """Return the seconds to wait before the next attempt, and log it; None if there is none."""
        if not self._is_temporary(outcome) or self._sent > self._retries:
            return None
        seconds, left = self._wait(outcome), self.left()
        if left is not None and seconds >= left:
            return None
        log.warning(
            "retry %d of %d of %s %s in %.2f s: %s",
            *(self._sent, self._retries, self._call.method, self._call.path, seconds, _described(outcome)),
        )
        return seconds

    def is_late(self) -> bool:
        """Return whether the deadline has passed."""
        left = self.left()
        return left is not None and left <= 0

    def left(self) -> float | None:
        """Return the seconds until the deadline; None without one."""
        return None if self._deadline is None else self._deadline - (time.monotonic() - self._begin)

    def _is_temporary(self, outcome: Outcome) -> bool:
        repeatable = self._call.repeatable
        if isinstance(outcome, httpx.Response):
            return outcome.status_code in (TEMPORARY_STATUSES if repeatable else REFUSED_STATUSES)
        return isinstance(outcome, CONNECTION_ERRORS if repeatable else CONNECT_ERRORS)

    def _wait(self, outcome: Outcome) -> float:
        asked = _retry_after(outcome) if isinstance(outcome, httpx.Response) else None
        if asked is None:
            doubled = BACKOFF_FACTOR * 2 ** (self._sent - 1)
            asked = doubled * random.uniform(0.5, 1.0)  # noqa: S311  (spreads clients; no secret)
        return min(asked, RETRY_WAIT_LIMIT)


def _retry_after(response: httpx.Response) -> float | None:
    """Read Retry-After: seconds, or a date."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _described(outcome: Outcome) -> str:
    if isinstance(outcome, httpx.Response):
        return f"status {outcome.status_code}"
    return str(outcome) or type(outcome).__name__
