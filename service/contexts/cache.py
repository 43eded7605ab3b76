"""What a process keeps of contexts: LRU caches, and when the rows of cached contexts were last seen unchanged."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from threading import Lock
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from service.contexts.tensors import State
from service.inference.distribution import Wanted
from service.inference.sizes import Array

if TYPE_CHECKING:
    from service.contexts.records import ContextRecord

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

BYTES_LIMIT = 2**24
"""Bytes that one cache holds in one process."""
CONTEXTS_LIMIT = 100_000
"""Contexts that are remembered; the least recently checked one is forgotten first."""


class LruCache(Generic[Key, Value]):
    """Maps keys to values; safe to use from several threads.

    Args:
        limit: Bytes; beyond it the least recently used value is removed.
    """

    def __init__(self, limit: int = BYTES_LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        """Return a value, and count it as used."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Replace the value of a key; a value larger than the limit only removes the old one."""
        with self._lock:
            self._remove(key)
            if size > self._limit:
                return
            self._entries[key] = (value, size)
            self._size += size
            while self._size > self._limit:
                self._remove(next(iter(self._entries)))

    def _remove(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        self._size -= 0 if entry is None else entry[1]


Readout = dict[str, Array]


class ReadoutCache:
    """LRU cache of readouts by state; every change of a context makes a new state."""

    def __init__(self, limit: int = BYTES_LIMIT) -> None:
        self._cache = LruCache[int, tuple[State, bool, Readout]](limit)

    def find(self, state: State, wanted: Wanted) -> Readout:
        """Return the readout of a state, with its covariance if the scale is wanted; empty if it is not cached."""
        entry = self._cache.get(id(state))
        # The entry keeps the state alive, so that no other object has its id.
        return {} if entry is None or (wanted.scale and not entry[1]) else entry[2]

    def keep(self, state: State, wanted: Wanted, readout: Readout) -> None:
        """Cache a readout."""
        if readout:
            size = sum(tensor.nbytes for tensor in (*readout.values(), *state.values()))
            self._cache.put(id(state), (state, wanted.scale, readout), size)


class Check(NamedTuple):
    """A look at a row, or the notice of a change."""

    at: float
    """On the clock of `time.monotonic`, before the look."""
    owner: str = ""
    version: int = 0
    updated: float = 0.0


class CheckedVersions:
    """The last checks of contexts: a caller may allow answers of some age; safe to use from several threads.

    Args:
        clock: Returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._checks: OrderedDict[str, Check] = OrderedDict()
        self._lock = Lock()
        self._since = float("-inf")

    def note(self, owner: str, record: "ContextRecord", at: float) -> None:
        """Note that a row had a version, unless a change was heard of since the look began.

        Args:
            owner: Of the context.
            record: Of the row.
            at: When the look began.
        """
        with self._lock:
            last = self._checks.get(record.id)
            if at > self._since and (last is None or last.at < at):
                self._put(record.id, Check(at, owner, record.version, record.updated))

    def hear(self, changed: Collection[str] | None) -> None:
        """Forget the checks of contexts that have changed; None forgets all."""
        with self._lock:
            now = self.clock()
            if changed is None:
                self._since = now
                self._checks.clear()
            else:
                for context_id in changed:
                    self._put(context_id, Check(now))

    def is_recent(self, owner: str, record: "ContextRecord", max_age: float) -> bool:
        """Return whether a row of this owner was seen to have this version within the last `max_age` seconds."""
        check = self._checks.get(record.id)
        if check is None or self.clock() - check.at > max_age:
            return False
        return (check.owner, check.version, check.updated) == (owner, record.version, record.updated)

    def _put(self, context_id: str, check: Check) -> None:
        self._checks[context_id] = check
        self._checks.move_to_end(context_id)
        if len(self._checks) > CONTEXTS_LIMIT:
            self._checks.popitem(last=False)
