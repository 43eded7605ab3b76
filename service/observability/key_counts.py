"""Requests by key: as metrics, and summed until they are stored."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter

from service.access.usage import Usage
from service.observability.request_stats import RequestStats

UNAUTHENTICATED = "unauthenticated"
"""The cause of a 401, whose key id is not verified: there may be any number of them."""
MEANINGS = {
    "requests": "Requests.",
    "refused": "Requests answered with an error.",
    "observations": "Rows learnt.",
    "queries": "Rows answered.",
    "compute_seconds": "Seconds of work.",
}


class KeyCounts:
    """Counts requests by the id of their key.

    Args:
        registry: Of the metrics.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counters = {
            name: Counter(f"gdssm_key_{name}", meaning, ["key_id"], registry=registry)
            for name, meaning in MEANINGS.items()
        }
        self._unstored: defaultdict[str, Usage] = defaultdict(Usage)
        self._lock = threading.Lock()

    def count(self, requests: Iterable[RequestStats]) -> None:
        """Count requests, except those without a verified key."""
        counted: defaultdict[str, Usage] = defaultdict(Usage)
        for stats in requests:
            if stats.key_id and stats.cause != UNAUTHENTICATED:
                one = Usage(1, int(bool(stats.cause)), stats.observations, stats.queries, stats.compute)
                counted[stats.key_id].add(one)
        for key_id, usage in counted.items():
            for name, counter in self._counters.items():
                counter.labels(key_id).inc(getattr(usage, name))
        self._add(counted)

    def store(self, write: Callable[[Mapping[str, Usage]], None]) -> None:
        """Write the sums since the last call; sums that could not be written are kept for the next one.

        Args:
            write: Adds sums, by the id of the key, to the stored ones.

        Raises:
            DatabaseUnavailable: The database does not answer.
        """
        with self._lock:
            unstored, self._unstored = self._unstored, defaultdict(Usage)
        try:
            write(unstored)
        except BaseException:
            self._add(unstored)
            raise

    def _add(self, counted: Mapping[str, Usage]) -> None:
        with self._lock:
            for key_id, usage in counted.items():
                self._unstored[key_id].add(usage)
