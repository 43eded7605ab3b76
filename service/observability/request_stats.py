"""The id, the times and the model of a request, collected while it is handled, for logs and metrics."""

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeAlias

Quota: TypeAlias = tuple[int, int, int]
"""The rest of a limit after a request: requests in 60 seconds, those that are left, and the whole seconds, at least 1,
until the oldest one no longer counts. No NamedTuple, which takes twice as long for every request."""


@dataclass(slots=True)
class RequestStats:
    """One request, or one WebSocket connection."""

    request_id: str
    deadline: float = float("inf")
    """On the clock of `time.monotonic`."""
    started: float = field(default_factory=time.monotonic)
    queue: float = 0.0
    """Seconds of waiting for a thread."""
    compute: float = 0.0
    """Seconds of work, including waits for the database."""
    model: str = ""
    """The model of the last run; empty if none has run."""
    observations: int = 0
    """Observations in all runs."""
    queries: int = 0
    """Queries in all runs."""
    cause: str = ""
    """The `error_type` of an error response."""
    key_id: str = ""
    """Of the caller's key; after a 401, the id in the refused key; empty before authentication and without keys."""
    quota: Quota | None = None
    """The rest of the caller's rate limit, if it has one."""
    method: str = ""
    """Set when the request has ended; as a label of metrics, which has few values, like `route`."""
    route: str = ""
    """The template of the address; set when the request has ended."""
    status: int = 0
    """Of the response; 0 before it has begun; 101 for a WebSocket."""
    size: int = 0
    """Bytes of the response body."""
    seconds: float = 0.0
    """From the first byte of the request to the last one of the response; set when the request has ended."""


CURRENT_STATS: ContextVar[RequestStats | None] = ContextVar("stats", default=None)
"""Of the present request, in the event loop or in a thread; None outside requests."""
