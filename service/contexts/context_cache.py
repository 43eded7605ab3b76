"""The contexts that were used last, kept ready to be asked."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from service.contexts.context_record import ContextRecord
from service.contexts.state import ContextState
from service.inference.runtime import Runtime

MOST = 2**24
"""Bytes that are kept in one process."""
EACH = 2**12
"""Bytes that one takes beside its state, about."""
EACH_NAME = 80
"""Bytes that the name of a column takes in addition to its letters, about."""


@dataclass(frozen=True)
class LoadedContext:
    """A context that was taken out."""

    record: ContextRecord
    memory: ContextState
    runtime: Runtime

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        names = (*(self.memory.columns.x or ()), *(self.memory.columns.y or ()))
        texts = 2 * sum(EACH_NAME + 4 * len(name) for name in names)  # in the record too
        return EACH + texts + sum(tensor.nbytes for tensor in (self.memory.state or {}).values())


class ContextCache:
    """Contexts by name, as they were; whoever finds one here has to see whether it still is so.

    Safe to use from several threads.

    Args:
        most: Bytes; beyond that the one that was wanted least lately goes.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._size = 0
        self._load: OrderedDict[str, LoadedContext] = OrderedDict()
        self._lock = Lock()

    def get(self, context_id: str) -> LoadedContext | None:
        """Find a context as it was kept last."""
        with self._lock:
            if context_id in self._load:
                self._load.move_to_end(context_id)
            return self._load.get(context_id)

    def keep(self, held: LoadedContext) -> None:
        """Keep a context, in place of what was kept of it before, unless it takes more than all may."""
        with self._lock:
            self._drop(held.record.id)
            if held.size > self._most:
                return
            self._load[held.record.id] = held
            self._size += held.size
            while self._size > self._most:
                self._drop(next(iter(self._load)))

    def _drop(self, context_id: str) -> None:
        before = self._load.pop(context_id, None)
        self._size -= 0 if before is None else before.size
