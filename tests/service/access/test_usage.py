from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from service.access import usage
from service.access.usage import KeyUsage, Usage, UsageStore
from service.errors import DatabaseUnavailable
from service.observability.key_counts import KeyCounts
from service.observability.metrics import Metrics
from service.observability.request_stats import RequestStats
from service.store.database import Database


def test_use_is_added_up_by_key_and_day(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = UsageStore(database)
    monkeypatch.setattr(usage, "today", lambda: 100)
    store.add({"a": Usage(1, 0, 5, 2, 0.5), "b": Usage(1, 1, 0, 0, 0.25)})
    store.add({"a": Usage(2, 1, 7, 0, 1.0)})
    monkeypatch.setattr(usage, "today", lambda: 101)
    store.add({"a": Usage(1, 0, 1, 1, 0.5)})
    store.add({})
    assert store.since(100) == {"a": KeyUsage(4, 1, 13, 3, 2.0, 101), "b": KeyUsage(1, 1, 0, 0, 0.25, 100)}
    assert store.since(101) == {"a": KeyUsage(1, 0, 1, 1, 0.5, 101)}
    assert store.since(102) == {}


def test_replicas_may_add_at_the_same_time(database: Database) -> None:
    store = UsageStore(database)
    used = {f"{number}": Usage(1, 0, number, 0, 0.0) for number in range(10)}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.add(used), range(20)))
    found = store.since(0)
    assert {key_id: (one.requests, one.observations) for key_id, one in found.items()} == {
        f"{number}": (20, 20 * number) for number in range(10)
    }


def test_requests_are_counted_by_verified_key() -> None:
    registry = CollectorRegistry()
    counts = KeyCounts(registry)
    counts.count(
        [
            RequestStats("1", key_id="a", observations=5, queries=1, compute=0.5),
            RequestStats("2", key_id="a", cause="invalid_input"),
            RequestStats("3", key_id="made-up", cause="unauthenticated"),
            RequestStats("4"),
        ]
    )
    shown = generate_latest(registry).decode()
    for line in ("requests_total", "refused_total", "observations_total", "queries_total", "compute_seconds_total"):
        assert f'gdssm_key_{line}{{key_id="a"}} ' in shown
    assert "made-up" not in shown
    stored: list[Mapping[str, Usage]] = []
    counts.store(stored.append)
    counts.store(stored.append)
    assert stored == [{"a": Usage(2, 1, 5, 1, 0.5)}, {}]


def test_counts_that_could_not_be_stored_are_stored_later() -> None:
    counts = KeyCounts(CollectorRegistry())
    counts.count([RequestStats("1", key_id="a")])

    def fail(_: Mapping[str, Usage]) -> None:
        counts.count([RequestStats("2", key_id="a")])  # meanwhile
        raise DatabaseUnavailable("The database does not answer.")

    with pytest.raises(DatabaseUnavailable):
        counts.store(fail)
    stored: list[Mapping[str, Usage]] = []
    counts.store(stored.append)
    assert stored == [{"a": Usage(requests=2)}]


def test_nothing_is_counted_by_key_unless_asked() -> None:
    metrics = Metrics()
    metrics.answered.append(RequestStats("1", key_id="a", method="GET", route="/v1/models", status=200, seconds=0.1))
    metrics.count()
    shown = generate_latest(metrics.registry).decode()
    assert 'gdssm_answers_total{method="GET",route="/v1/models",status="200"} 1.0' in shown
    assert "gdssm_key_requests_total{" not in shown
