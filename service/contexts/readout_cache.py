"""What states answer with, worked out once for each state: a cache in each process."""

from collections import OrderedDict
from threading import Lock

from service.contexts.merge import State
from service.inference.distribution import Wanted
from service.inference.sizes import Array

LIMIT = 2**24
"""Bytes that are kept in one process."""
Readout = dict[str, Array]


class ReadoutCache:
    """LRU cache of readouts by state; a state is a new object after every change. Safe to use from several threads.

    Args:
        limit: Bytes; beyond that the one that was wanted least lately goes.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[int, tuple[State, bool, Readout]] = OrderedDict()
        self._lock = Lock()

    def find(self, state: State, wanted: Wanted) -> Readout:
        """Find the readout of a state, with its covariance if the scale is wanted; empty if it is not kept."""
        with self._lock:
            # The state is kept with it, so that no other object can have its identity.
            kept = self._kept.get(id(state))
            if kept is None or (wanted.scale and not kept[1]):
                return {}
            self._kept.move_to_end(id(state))
            return kept[2]

    def keep(self, state: State, wanted: Wanted, readout: Readout) -> None:
        """Keep a readout, unless it takes more than all may."""
        size = _size(readout, state)
        if not readout or size > self._limit:
            return
        with self._lock:
            self._drop(id(state))
            self._kept[id(state)] = (state, wanted.scale, readout)
            self._size += size
            while self._size > self._limit:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: int) -> None:
        before = self._kept.pop(key, None)
        self._size -= 0 if before is None else _size(before[2], before[0])


def _size(readout: Readout, state: State) -> int:
    return sum(tensor.nbytes for tensor in (*readout.values(), *state.values()))
