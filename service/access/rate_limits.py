"""How often one key may ask: so many requests in any sixty seconds, of one process.

Kept by hand: the library for it copies the minute's requests for each new one, and starts a thread every 10 ms; this
costs the same however many there were.
"""

import math
import time
from collections import deque

from service.access.caller import Caller
from service.errors import RateLimited

WINDOW = 60.0
"""Seconds."""


class RateLimits:
    """Remembers when each key asked in the last minute; at most as many times as its limit.

    Args:
        a_minute: For keys that have no limit of their own; 0 is no limit.
    """

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._asked: dict[str, deque[float]] = {}

    def count(self, caller: Caller) -> None:
        """Count one request of a caller.

        Raises:
            RateLimited: It is one too many; says when the next one may come. It does not count.
        """
        a_minute = self._a_minute if caller.rate_limit is None else caller.rate_limit
        if a_minute == 0:
            return
        now, asked = time.monotonic(), self._asked.setdefault(caller.key_id, deque())
        while asked and asked[0] <= now - WINDOW:
            asked.popleft()
        if len(asked) >= a_minute:
            raise RateLimited(a_minute, max(1, math.ceil(asked[-a_minute] + WINDOW - now)))
        asked.append(now)
