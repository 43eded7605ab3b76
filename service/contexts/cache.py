"""LRU caches of a process, bounded by bytes."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

from service.contexts.tensors import State
from service.inference.distribution import Wanted
from service.inference.sizes import Array

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

BYTES_LIMIT = 2**24
"""Bytes that one cache holds in one process."""


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
