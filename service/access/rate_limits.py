"""The limit of requests of one key to one process, within any 60 seconds.

Our own code: the library for it copies the last minute's requests for each new one and starts a thread every 10 ms.
This takes constant time.
"""

import math
import time
from collections import deque

from service.access.keys import Caller
from service.errors import RateLimited

WINDOW_SECONDS = 60.0


class RateLimits:
    """The times of each key's requests in the last minute.

    Args:
        a_minute: The limit of keys without a separate limit; 0 is no limit.
    """

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._requests: dict[str, deque[float]] = {}

    def count(self, caller: Caller) -> None:
        """Count one request of a caller.

        Raises:
            RateLimited: The limit is exceeded; the request is not counted.
        """
        a_minute = self._a_minute if caller.rate_limit is None else caller.rate_limit
        if a_minute == 0:
            return
        now, times = time.monotonic(), self._requests.setdefault(caller.key_id, deque())
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if len(times) >= a_minute:
            raise RateLimited(a_minute, max(1, math.ceil(times[-a_minute] + WINDOW_SECONDS - now)))
        times.append(now)
