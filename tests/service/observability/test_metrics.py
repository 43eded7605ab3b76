import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from service.observability.metrics import Metrics, observe
from service.observability.request_stats import RequestStats

BUCKETS = (0.1, 1.0, 10.0)


@pytest.mark.parametrize("amounts", [[0.05], [0.1, 0.1, 1.0], [3.0, 1000.0, 0.0, 10.0]])
def test_observe_many_equals_observing_each(amounts: list[float]) -> None:
    registries = CollectorRegistry(), CollectorRegistry()
    at_once, one_by_one = (Histogram("h", "H.", buckets=BUCKETS, registry=registry) for registry in registries)
    observe(at_once, np.array(amounts))
    for amount in amounts:
        one_by_one.observe(amount)
    first, second = (
        [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]
        for registry in registries
    )
    assert first == second


def test_answered_requests_are_counted_once() -> None:
    metrics = Metrics()
    for status in (200, 200, 422):
        stats = RequestStats("id", model="linear", compute=0.01, method="POST", route="/v1/predict", status=status)
        metrics.answered.append(stats)
    for _ in range(2):
        metrics.count()
    shown = generate_latest(metrics.registry).decode()
    assert 'gdssm_answers_total{method="POST",route="/v1/predict",status="200"} 2.0' in shown
    assert 'gdssm_answers_total{method="POST",route="/v1/predict",status="422"} 1.0' in shown
    assert 'gdssm_compute_seconds_count{model="linear"} 3.0' in shown
