"""What is known of the request that is being answered: written down on its way, read by the signals at its end."""

import time
from contextvars import ContextVar
from dataclasses import dataclass, field

from service.inference.sizes import Array


@dataclass(slots=True)
class RequestStats:
    """One request, or one WebSocket connection."""

    request_id: str
    deadline: float = float("inf")
    """When it must be answered, on the clock of `time.monotonic`."""
    started: float = field(default_factory=time.monotonic)
    queue: float = 0.0
    """Seconds that it waited for a thread."""
    compute: float = 0.0
    """Seconds of work, waiting for the database included."""
    model: str = ""
    """Which model ran for it last, if any did."""
    observations: int = 0
    """Rows that were learnt in its runs."""
    queries: int = 0
    """Rows that were answered in its runs."""
    cause: str = ""
    """The `error_type` of its answer, if that is an error."""
    key_id: str = ""
    """Of the caller's key; where it is refused (401), the id that it claims; empty while it is not known, and where
    callers need none."""

    def ran(self, model: str, x: Array, x_query: Array) -> None:
        """Note one run of a model with observations (B, N, D) and queries (B, M, D)."""
        self.model = model
        contexts, observations, _ = x.shape
        self.observations += contexts * observations
        self.queries += contexts * x_query.shape[1]


def current_stats() -> RequestStats | None:
    """Find the record of the request that this code runs for, in the event loop or in a thread of the pool."""
    return CURRENT_STATS.get()


CURRENT_STATS: ContextVar[RequestStats | None] = ContextVar("record", default=None)
