"""The limit of requests of one key to one process, within any 60 seconds.

Our own code: the library for it copies the last minute's requests for each new one and starts a thread every 10 ms.
This takes constant time.
"""

import math
import time
from collections import deque

from service.access.keys import Caller
from service.errors import RateLimited
from service.observability.request_stats import Quota

WINDOW_SECONDS = 60.0


class RateLimits:
    """The times of each key's requests in the last minute.

    Args:
        a_minute: The limit of keys without a separate limit; 0 is no limit.
    """

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._requests: dict[str, deque[float]] = {}

    def count(self, caller: Caller) -> Quota | None:
        """Count one request of a caller; returns the rest of its limit, if it has one.

        Raises:
            RateLimited: The limit is exceeded; the request is not counted.
        """
        a_minute = self._a_minute if caller.rate_limit is None else caller.rate_limit
        if a_minute == 0:
            return None
        now, times = time.monotonic(), self._requests.get(caller.key_id)
        if times is None:
            times = self._requests[caller.key_id] = deque()
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if len(times) >= a_minute:
            raise RateLimited(a_minute, _seconds_until(times[-a_minute], now))
        times.append(now)
        return a_minute, a_minute - len(times), _seconds_until(times[0], now)


def _seconds_until(counted: float, now: float) -> int:
    """Return the whole seconds until a request no longer counts."""
    return math.ceil(counted + WINDOW_SECONDS - now) or 1
