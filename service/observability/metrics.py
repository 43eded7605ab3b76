"""Prometheus metrics; their names begin with `gdssm_`."""

import os
import threading
from collections import Counter as TallyCounter
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.observability.key_counts import UNAUTHENTICATED, KeyCounts
from service.observability.processes import Processes
from service.observability.request_stats import RequestStats
from service.registry.repository import ModelEvent

SHARED_DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable: the directory in which workers share their metrics, so that each can report those of all."""

DENIED_CAUSES = frozenset({UNAUTHENTICATED, "forbidden", "foreign_site", "rate_limited", "quota_exceeded"})
"""Causes that concern the caller."""
SECONDS_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
ROW_BUCKETS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)


class Metrics:
    """The metrics of one process, in a separate registry.

    Args:
        counts_keys: Whether requests are counted by key.
    """

    def __init__(self, *, counts_keys: bool = False) -> None:
        registry = CollectorRegistry()
        self.registry = registry

        def histogram(
            name: str, meaning: str, labels: Iterable[str], buckets: Iterable[float] = SECONDS_BUCKETS
        ) -> Histogram:
            return Histogram(f"gdssm_{name}", meaning, labels, registry=registry, buckets=tuple(buckets))

        def counter(name: str, meaning: str, labels: Iterable[str]) -> Counter:
            return Counter(f"gdssm_{name}", meaning, labels, registry=registry)

        def gauge(name: str, meaning: str) -> Gauge:
            return Gauge(f"gdssm_{name}", meaning, registry=registry, multiprocess_mode="livesum")

        self._answers = counter("answers", "Answers.", ["method", "route", "status"])
        self._seconds = histogram(
            "request_seconds", "From a request to its whole answer.", ["method", "route", "model"]
        )
        self._queue = histogram("queue_seconds", "Waiting for a thread, one request.", ["model"])
        self._compute = histogram("compute_seconds", "Work, one request.", ["model"])
        self._observations = histogram("request_observations", "Rows learnt by one request.", ["model"], ROW_BUCKETS)
        self._queries = histogram("request_queries", "Rows answered by one request.", ["model"], ROW_BUCKETS)
        self._refused = counter("refused", "Errors answered, by their error_type.", ["cause"])
        self._denied = counter("denied", "Errors that concern the caller.", ["cause", "route", "key_id"])
        self._model_events = counter("model_events", "Model files loaded, removed and refused.", ["kind"])
        build = Gauge("gdssm_build_info", "1.", ["version"], registry=registry, multiprocess_mode="livemax")
        build.labels(version("gdssm")).set(1)
        self._in_flight = gauge("in_flight", "Requests admitted and not yet answered.")
        self._bytes_in_flight = gauge("bytes_in_flight", "Bytes of the bodies of requests in flight.")
        self.admitted: Callable[[], tuple[int, int]] = lambda: (0, 0)
        """Returns the requests and bytes in flight, for `count`."""
        self.waiting = gauge("queue", "Pieces of work that wait for a thread.")
        self.websockets = gauge("websockets", "Open WebSockets.")
        self.answered: deque[RequestStats] = deque()
        """Requests that `count` has yet to count."""
        self.closed: deque[RequestStats] = deque()
        """WebSockets that `count` has yet to count by key."""
        self.counts_keys = counts_keys
        self.keys = KeyCounts(registry)
        self._counting = threading.Lock()

    def count(self) -> None:
        """Count the requests since the last call: many at once, because each Prometheus metric takes a lock."""
        in_flight, size = self.admitted()
        self._in_flight.set(in_flight)
        self._bytes_in_flight.set(size)
        groups = defaultdict[tuple[str, str, int, str], list[float]](list)
        errors: TallyCounter[tuple[str, str, str]] = TallyCounter()
        finished = list[RequestStats]()
        with self._counting:
            while self.closed:
                finished.append(self.closed.popleft())
            while self.answered:
                stats = self.answered.popleft()
                if self.counts_keys:
                    finished.append(stats)
                numbers = (stats.seconds, stats.queue, stats.compute, stats.observations, stats.queries)
                groups[stats.method, stats.route, stats.status, stats.model].extend(numbers)
                if stats.cause:
                    # An unverified id must not become a label, because there may be any number of them.
                    key_id = "" if stats.cause == UNAUTHENTICATED else stats.key_id
                    errors[stats.cause, stats.route, key_id] += 1
        self.keys.count(finished)
        for labels, times in errors.items():
            self._refused.labels(labels[0]).inc(times)
            if labels[0] in DENIED_CAUSES:
                self._denied.labels(*labels).inc(times)
        for (method, route, status, model), requests in groups.items():
            total, queue, compute, observations, queries = np.array(requests).reshape(-1, len(numbers)).T
            self._answers.labels(method, route, str(status)).inc(len(total))
            observe(self._seconds.labels(method, route, model), total)
            computed = compute > 0
            if computed.any():
                observe(self._queue.labels(model), queue[computed])
                observe(self._compute.labels(model), compute[computed])
            if model:
                observe(self._observations.labels(model), observations)
                observe(self._queries.labels(model), queries)

    def model_event(self, event: ModelEvent) -> None:
        """Count a change of the models in service."""
        self._model_events.labels(event.kind).inc()


def observe(histogram: Histogram, amounts: NDArray[np.float64]) -> None:
    """Call `histogram.observe` for many amounts: 36 µs instead of 673 for 1,000 (`benchmarks infrastructure`)."""
    histogram._sum.inc(sum(amounts.tolist()))  # noqa: SLF001  (no public method takes several amounts)
    for bucket, times in enumerate(np.bincount(np.searchsorted(histogram._upper_bounds, amounts))):  # noqa: SLF001  (nor its bounds)
        if times:
            histogram._buckets[bucket].inc(float(times))  # noqa: SLF001  (nor its counts)


class MetricsRenderer:
    """Renders the metrics of this process, or of all workers if they share a directory.

    Args:
        metrics: Of this process.
        shared_gauges: Values that all processes share, by name: their meaning, and a function that returns them.
    """

    def __init__(self, metrics: Metrics, shared_gauges: dict[str, tuple[str, Callable[[], float]]]) -> None:
        directory = os.environ.get(SHARED_DIRECTORY_VARIABLE)
        self._metrics = metrics
        self._per_process: Collector = metrics.registry
        if directory is not None:
            self._per_process = MultiProcessCollector(None, directory)  # type: ignore[no-untyped-call]  # untyped
        self._shared = CollectorRegistry()
        self._shared.register(Processes(directory))
        self._shared.register(_SharedGauges(shared_gauges))
        self._lock = threading.Lock()

    def render(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        with self._lock:  # at most one thread renders
            self._metrics.count()
            return b"".join(generate_latest(collector) for collector in (self._per_process, self._shared))


class _SharedGauges(Collector):
    """Gauges that all processes share; they are not summed."""

    def __init__(self, gauges: dict[str, tuple[str, Callable[[], float]]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        for name, (meaning, function) in self._gauges.items():
            yield GaugeMetricFamily(f"gdssm_{name}", meaning, value=function())
