"""What is counted and measured, in Prometheus' terms; every name begins with `gdssm_`."""

import os
import threading
from collections import Counter as TallyCounter
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.observability.processes import Processes
from service.observability.request_stats import RequestStats
from service.registry.repository import Event

SHARED_DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which several workers share their numbers, so that any of them answers for all."""

UNAUTHENTICATED = "unauthenticated"
DENIED_CAUSES = frozenset({UNAUTHENTICATED, "forbidden", "foreign_site", "rate_limited", "quota_exceeded"})
"""Causes that concern who asks."""
SECONDS_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
ROW_BUCKETS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)


class Metrics:
    """One process's numbers, in a registry of their own."""

    def __init__(self) -> None:
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
        self._denied = counter("denied", "Errors that concern who asked.", ["cause", "route", "key_id"])
        self._model_events = counter("model_events", "Model files loaded, removed and refused.", ["kind"])
        self._in_flight = gauge("in_flight", "Requests admitted and not yet answered.")
        self._bytes_in_flight = gauge("bytes_in_flight", "Bytes of request bodies held for them.")
        self.admitted: Callable[[], tuple[int, int]] = lambda: (0, 0)
        """Tells the requests and bytes in flight; asked by `count`."""
        self.waiting = gauge("queue", "Pieces of work that wait for a thread.")
        self.websockets = gauge("websockets", "Open WebSockets.")
        self._answered: deque[tuple[RequestStats, str, str, int, float]] = deque()
        self._counting = threading.Lock()

    def answered(self, stats: RequestStats, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request, the next time that somebody counts.

        Args:
            stats: What is known of it.
            method: A known one.
            route: Its template, never its path: a label must not grow with what callers send.
            status: Of the answer.
            seconds: From its first byte to the last one of the answer.
        """
        self._answered.append((stats, method, route, status, seconds))

    def count(self) -> None:
        """Count what was answered since the last time: many at once, as each of Prometheus' numbers takes a lock."""
        requests, size = self.admitted()
        self._in_flight.set(requests)
        self._bytes_in_flight.set(size)
        alike: dict[tuple[str, str, int, str], list[tuple[RequestStats, float]]] = defaultdict(list)
        denied: TallyCounter[tuple[str, str, str]] = TallyCounter()
        with self._counting:
            while self._answered:
                stats, method, route, status, seconds = self._answered.popleft()
                alike[method, route, status, stats.model].append((stats, seconds))
                if stats.cause in DENIED_CAUSES:
                    # An id that is only claimed must not become a label: there is no end of them.
                    key_id = "" if stats.cause == UNAUTHENTICATED else stats.key_id
                    denied[stats.cause, route, key_id] += 1
        for labels, times in denied.items():
            self._denied.labels(*labels).inc(times)
        for (method, route, status, model), answers in alike.items():
            self._answers.labels(method, route, str(status)).inc(len(answers))
            observe(self._seconds.labels(method, route, model), [seconds for _, seconds in answers])
            self._count_work(model, [stats for stats, _ in answers])

    def _count_work(self, model: str, records: list[RequestStats]) -> None:
        for stats in records:
            if stats.cause:
                self._refused.labels(stats.cause).inc()
        worked = [stats for stats in records if stats.compute]
        if worked:
            observe(self._queue.labels(model), [stats.queue for stats in worked])
            observe(self._compute.labels(model), [stats.compute for stats in worked])
        if model:
            observe(self._observations.labels(model), [stats.observations for stats in records])
            observe(self._queries.labels(model), [stats.queries for stats in records])

    def model_event(self, event: Event) -> None:
        """Count something that happened to what is served."""
        self._model_events.labels(event.kind).inc()


def observe(histogram: Histogram, amounts: Sequence[float]) -> None:
    """Do what `histogram.observe` does with one amount after the other."""
    histogram._sum.inc(sum(amounts))  # noqa: SLF001  (it offers nothing for many)
    for bucket, times in enumerate(np.bincount(np.searchsorted(histogram._upper_bounds, amounts))):  # noqa: SLF001
        if times:
            histogram._buckets[bucket].inc(float(times))  # noqa: SLF001


class MetricsRenderer:
    """Writes everything down for Prometheus: this process's numbers, or all workers' where they share a directory.

    Args:
        metrics: This process's.
        asked: What is asked anew each time, by name: its meaning, and a function for its present value.
    """

    def __init__(self, metrics: Metrics, asked: dict[str, tuple[str, Callable[[], float]]]) -> None:
        directory = os.environ.get(SHARED_DIRECTORY_VARIABLE)
        self._metrics = metrics
        self._numbers: Collector = metrics.registry
        if directory is not None:
            self._numbers = MultiProcessCollector(None, directory)  # type: ignore[no-untyped-call]  # it has no types
        self._rest = CollectorRegistry()
        self._rest.register(Processes(directory))
        self._rest.register(_Asked(asked))
        self._writing = threading.Lock()

    def write(self) -> bytes:
        """In the text format."""
        with self._writing:  # one at a time, however many ask
            self._metrics.count()
            return b"".join(generate_latest(numbers) for numbers in (self._numbers, self._rest))


class _Asked(Collector):
    """What belongs to no process, and so is never added up."""

    def __init__(self, asked: dict[str, tuple[str, Callable[[], float]]]) -> None:
        self._asked = asked

    def collect(self) -> Iterable[Metric]:
        for name, (meaning, function) in self._asked.items():
            yield GaugeMetricFamily(f"gdssm_{name}", meaning, value=function())
