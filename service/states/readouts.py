"""A cache of what states answer with, for models that work it out at the first query."""

from service.inference.distribution import Wanted
from service.inference.sizes import Array
from service.lru_cache import BYTES_LIMIT, LruCache
from service.states.tensors import State

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
