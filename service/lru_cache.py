"""An LRU cache with a limit on bytes."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

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
