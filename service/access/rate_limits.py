"""How often one key may ask: so many requests in any sixty seconds, of one process."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from service.access.caller import Caller
from service.errors import RateLimited


class RateLimits:
    """Counts the requests of each key in memory.

    Args:
        a_minute: For keys that have no limit of their own; 0 is no limit.
    """

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._window: MovingWindowRateLimiter | None = None

    def count(self, caller: Caller) -> None:
        """Count one request of a caller.

        Raises:
            RateLimited: It is one too many; says when the next one may come. It does not count.
        """
        a_minute = self._a_minute if caller.rate_limit is None else caller.rate_limit
        if a_minute == 0:
            return
        if self._window is None:  # its storage starts a thread, which a service without limits does not need
            self._window = MovingWindowRateLimiter(MemoryStorage())
        limit = RateLimitItemPerMinute(a_minute)
        if not self._window.hit(limit, caller.key_id):
            wait = self._window.get_window_stats(limit, caller.key_id).reset_time - time.time()
            raise RateLimited(a_minute, max(1, math.ceil(wait)))
