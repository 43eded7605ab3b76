"""What is known of the request that is being answered: written down on its way, read by the signals at its end."""

import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from service.shapes import Array


@dataclass(slots=True)
class Record:
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

    def ran(self, model: str, tensors: Mapping[str, Array | float]) -> None:
        """Note one run of a model with tensors (B, N, …) of observations and (B, M, …) of queries."""
        self.model = model
        self.observations += _rows(tensors.get("x"))
        self.queries += _rows(tensors.get("x_query"))


def current() -> Record | None:
    """Find the record of the request that this code runs for, in the event loop or in a thread of the pool."""
    return CURRENT.get()


def _rows(tensor: Array | float | None) -> int:
    shape: tuple[int, ...] = getattr(tensor, "shape", ())
    return shape[0] * shape[1] if len(shape) > 1 else 0


CURRENT: ContextVar[Record | None] = ContextVar("record", default=None)
